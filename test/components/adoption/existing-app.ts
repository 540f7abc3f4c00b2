import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LiveObject } from "../../../components/live-objects";
import { ApiServer } from "../../../local/cloud/kubernetes/api-server";
import type { KubernetesObject } from "../../../local/cloud/kubernetes/object";
import { WritableStore } from "../../../local/cloud/kubernetes/store";

export const SELECTOR = { app: "notes", tier: "web" };

/** A Deployment as a team has it: labels, names, a sidecar and an init container of its own. */
export const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "notes", namespace: "default", labels: { team: "notes" } },
  spec: {
    replicas: 3,
    selector: { matchLabels: SELECTOR },
    template: {
      metadata: { labels: { ...SELECTOR, team: "notes" }, annotations: { "prometheus.io/scrape": "true" } },
      spec: {
        tolerations: [{ key: "dedicated", operator: "Exists" }],
        imagePullSecrets: [{ name: "registry" }],
        volumes: [{ name: "cache", emptyDir: {} }],
        initContainers: [
          { name: "migrate", image: "registry/notes:0.9", command: ["npx", "prisma", "migrate", "deploy"] },
        ],
        containers: [
          { name: "proxy", image: "registry/proxy:1" },
          {
            name: "web",
            image: "registry/notes:0.9",
            ports: [{ name: "web", containerPort: 8080 }],
            env: [
              { name: "DATABASE_URL", value: "postgresql://old-secret@db/notes" },
              { name: "OLD_FLAG", value: "old-secret" },
            ],
            envFrom: [{ configMapRef: { name: "notes-config" } }],
            volumeMounts: [{ name: "cache", mountPath: "/cache" }],
            livenessProbe: { exec: { command: ["true"] } },
            lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } },
            resources: { limits: { cpu: "1", memory: "512Mi" } },
          },
        ],
      },
    },
  },
};

export const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "notes-web", namespace: "default", annotations: { "example.com/lb": "internal" } },
  spec: { type: "NodePort", selector: { app: "notes" }, ports: [{ name: "web", port: 8080, targetPort: "web" }] },
};

export const POLICY = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "notes-ingress", namespace: "default" },
  spec: { podSelector: { matchLabels: { team: "notes" } }, ingress: [{ from: [{ podSelector: {} }] }] },
};

/** The objects as the API server has them after a tool applied them. */
export async function applied(manager: string, ...objects: object[]): Promise<LiveObject[]> {
  const directory = mkdtempSync(join(tmpdir(), "adoption-"));
  try {
    const api = new ApiServer(new WritableStore(directory));
    const made: LiveObject[] = [];
    for (const object of objects) {
      const by = { manager, operation: "Update" } as const;
      made.push((await api.apply(structuredClone(object) as KubernetesObject, "create", by)) as object as LiveObject);
    }
    return made;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
