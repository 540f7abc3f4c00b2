import { expect, test } from "vitest";
import { fieldConflicts, type ManagedFields } from "../../components/field-conflicts";

/** As Kubernetes 1.34 records them, after the commands that the names of the managers tell. */
const app = (fields: object) => ({
  "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"app"}': fields } } } },
});
const MANAGERS = [
  {
    manager: "pulumi-kubernetes-ab12cd34",
    operation: "Apply",
    fieldsV1: app({ ".": {}, "f:name": {}, "f:image": {} }),
  },
  {
    manager: "kube-controller-manager",
    operation: "Update",
    subresource: "status",
    fieldsV1: { "f:status": { "f:replicas": {} } },
  },
  { manager: "kubectl", operation: "Update", subresource: "scale", fieldsV1: { "f:spec": { "f:replicas": {} } } },
  {
    manager: "kubectl-patch",
    operation: "Update",
    fieldsV1: app({
      "f:env": {
        'k:{"name":"DATABASE_URL"}': { "f:valueFrom": { "f:secretKeyRef": {} } },
        'k:{"name":"X"}': { ".": {}, "f:name": {}, "f:value": {} },
      },
      "f:ports": { 'k:{"containerPort":3000,"protocol":"TCP"}': { "f:name": {} } },
      "f:startupProbe": { "f:httpGet": { "f:path": {} } },
      "f:resources": {},
    }),
  },
] as unknown as ManagedFields[];

const deployment = (replicas: number, container: object) => ({
  spec: { replicas, template: { spec: { containers: [{ name: "app", ...container }] } } },
});
const container = (secret: string, port: string, path: string) => ({
  image: "notes:1",
  env: [{ name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: secret, key: "url" } } }],
  ports: [{ name: port, containerPort: 3000 }],
  startupProbe: { httpGet: { path } },
});
const WANTED = deployment(2, {
  ...container("db", "http", "/health"),
  image: "notes:2",
  resources: { limits: { cpu: "1" } },
});

test("finds the very conflicts that the API server answers a server-side apply with", () => {
  const live = deployment(7, { ...container("other", "web", "/x"), resources: {} });
  const at = '.spec.template.spec.containers[name="app"]';
  // Tried on Kubernetes 1.34: `Apply failed with 4 conflicts`, of these fields.
  expect(fieldConflicts(WANTED, live, MANAGERS).map(({ manager, path }) => [manager, path])).toEqual([
    ["kubectl", ".spec.replicas"],
    ["kubectl-patch", `${at}.env[name="DATABASE_URL"].valueFrom.secretKeyRef`],
    ["kubectl-patch", `${at}.ports[containerPort=3000,protocol="TCP"].name`],
    ["kubectl-patch", `${at}.startupProbe.httpGet.path`],
  ]);
});

test("finds nothing where others set the same values, or fields that the program leaves alone", () => {
  const live = deployment(2, { ...container("db", "http", "/health"), resources: {} });
  expect(fieldConflicts(WANTED, live, MANAGERS)).toEqual([]);
});
