import { join } from "node:path";
import { until } from "./expect";
import { kubectl, list } from "./kubectl";
import { image } from "./scenario";
import type { World } from "./world";

export const SELECTOR = { app: "legacy-notes", tier: "web" };

/** What the pods of the existing app have besides what the settings of a release say. */
export const POD = {
  metadata: { labels: { team: "notes" }, annotations: { "prometheus.io/scrape": "true" } },
  spec: {
    tolerations: [{ key: "team", operator: "Equal", value: "notes", effect: "NoSchedule" }],
    imagePullSecrets: [{ name: "registry" }],
    volumes: [{ name: "cache", emptyDir: {} }],
  },
};

/** What the app's container has of that kind. */
export const WEB = {
  envFrom: [{ configMapRef: { name: "legacy-notes" } }],
  volumeMounts: [{ name: "cache", mountPath: "/cache" }],
};

const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const idle = (name: string) => ({
  name,
  image: process.env["E2E_NODE_IMAGE"],
  command: ["node", "-e", "process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1e6)"],
  securityContext: RESTRICTED,
});

/** The sidecar of the existing app, which goes on beside the release's container. */
export const sidecar = () => idle("proxy");

/**
 * Makes an app as a team has it, with plain `kubectl apply`: own labels and selector, own Service, NetworkPolicy and
 * autoscaler, a sidecar, a toleration, a volume, variables from a ConfigMap, and an init container that migrates.
 * It has 3 pods and is scaled to 4 by hand.
 *
 * @param preStop whether its pods go on serving for a while after they are asked to end
 */
export async function applyExistingApp(world: World, { preStop }: { preStop: boolean }): Promise<void> {
  const { namespace } = world;
  const named = (apiVersion: string, kind: string, name: string, rest: object) => ({
    apiVersion,
    kind,
    metadata: { name, namespace, labels: { team: "notes" } },
    ...rest,
  });
  const migrate = { ...idle("migrate"), command: ["node", "-e", "console.log('npx prisma migrate deploy')"] };
  const web = {
    name: "web",
    image: image("1.0.0"),
    ports: [{ name: "web", containerPort: 3000 }],
    env: [
      { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "url" } } },
      { name: "OLD_FLAG", value: "1" },
    ],
    ...WEB,
    readinessProbe: { httpGet: { path: "/health", port: "web" }, periodSeconds: 1 },
    livenessProbe: {
      httpGet: { path: "/health", port: "web" },
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 5,
    },
    ...(preStop ? { lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } } } : {}),
    resources: { requests: { cpu: "20m" }, limits: { memory: "256Mi" } },
    securityContext: RESTRICTED,
  };
  const spec = {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    ...POD.spec,
    initContainers: [migrate],
    containers: [sidecar(), web],
  };
  const labels = { ...SELECTOR, ...POD.metadata.labels };
  const objects = [
    named("v1", "ConfigMap", "legacy-notes", { data: { LEGACY: "1" } }),
    named("apps/v1", "Deployment", "notes", {
      spec: {
        replicas: 3,
        selector: { matchLabels: SELECTOR },
        template: { metadata: { ...POD.metadata, labels }, spec },
      },
    }),
    named("v1", "Service", "notes-web", {
      spec: {
        type: "NodePort",
        selector: { app: SELECTOR.app },
        ports: [{ name: "web", port: 80, targetPort: "web" }],
      },
    }),
    named("networking.k8s.io/v1", "NetworkPolicy", "notes", {
      spec: { podSelector: { matchLabels: { team: "notes" } }, ingress: [{}] },
    }),
    named("autoscaling/v2", "HorizontalPodAutoscaler", "legacy-notes", {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "notes" },
        minReplicas: 3,
        maxReplicas: 6,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
      },
    }),
  ];
  await kubectl(["apply", "--filename", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await kubectl(["scale", "deployment", "notes", "--replicas=4", "--namespace", namespace]);
  await kubectl(["rollout", "status", "deployment", "notes", "--timeout=110s", "--namespace", namespace]);
}

/** Lets both accounts of the release look at what is around an app that is taken over. */
export async function grantAdoption({ namespace }: World): Promise<void> {
  const file = join(__dirname, "rbac/adopt.yaml");
  await kubectl(["apply", "--namespace", namespace, "--filename", file]);
  const accounts = ["up", "preview"].map((role) => `--serviceaccount=${namespace}:release-${role}`);
  const binding = ["create", "rolebinding", "release-adopt", "--role=release-adopt", ...accounts];
  await kubectl([...binding, "--namespace", namespace]);
}

/** Removes the existing app, and waits until its pods are gone. */
export async function removeExistingApp({ namespace }: World): Promise<void> {
  const kinds = "deployments,services,networkpolicies,horizontalpodautoscalers,poddisruptionbudgets,configmaps";
  await kubectl(["delete", kinds, "--selector", "team=notes", "--namespace", namespace, "--timeout=100s"]);
  await until(async () => (await list(namespace, "pods")).length === 0, 60);
}
