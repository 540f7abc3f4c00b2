import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApplyMode } from "../../../../local/cloud/kubernetes/api-server";
import type { KubernetesObject, ObjectReference } from "../../../../local/cloud/kubernetes/object";
import { groupOf } from "../../../../local/cloud/kubernetes/object";
import type { Pod } from "../../../../local/cloud/kubernetes/pod-types";
import {
  type AwaitResult,
  createKubernetesService,
  type KubernetesMethods,
  stopKubernetes,
} from "../../../../local/cloud/kubernetes/service";
import { openStore } from "../../../../local/cloud/kubernetes/store";
import { REAL_TIMING, type Timing } from "../../../../local/cloud/kubernetes/timing";
import { waitUntil } from "../../../../local/cloud/process";
import type { Service } from "../../../../local/cloud/service";
import { processesNaming } from "../processes-naming";

/** The images of these tests: a shell, and the well-behaved server. Both have the cluster's folder on their command line. */
export const images = (cluster: string) => ({
  shell: { directory: "/", entrypoint: ["/bin/sh", "-c", 'eval "$1"', cluster] },
  server: {
    directory: join(__dirname, "fixtures"),
    command: ["node", "server.mjs", cluster],
    env: { VERSION: "{tag}" },
  },
});

/** Back-offs as in real life, but a hundred times as fast. */
export const FAST: Timing = {
  ...REAL_TIMING,
  backOff: (attempt) => REAL_TIMING.backOff(attempt) / 100,
  jobBackOff: (attempt) => REAL_TIMING.jobBackOff(attempt) / 100,
  retryMilliseconds: 50,
};

/** A cluster inside the test's own process, with the real processes of its pods. */
export class TestCluster {
  readonly cloudDir: string;
  private service: Service<KubernetesMethods>;

  constructor(private readonly timing: Timing = FAST) {
    this.cloudDir = join(mkdtempSync(join(tmpdir(), "a cluster ")), "cloud");
    mkdirSync(this.cloudDir);
    writeFileSync(join(this.cloudDir, "images.json"), JSON.stringify(images(this.cloudDir)));
    this.service = createKubernetesService(this.cloudDir, timing);
  }

  async end(): Promise<void> {
    await this.service.stop();
    await stopKubernetes(this.cloudDir);
    rmSync(join(this.cloudDir, ".."), { recursive: true, force: true });
  }

  /** As after `down` and the next `up`. */
  async restart(): Promise<void> {
    await this.service.stop();
    this.service = createKubernetesService(this.cloudDir, this.timing);
  }

  get methods(): KubernetesMethods {
    return this.service.methods;
  }

  apply(object: object, mode: ApplyMode = "upsert"): Promise<KubernetesObject> {
    return this.methods.apply({ object: object as KubernetesObject, mode });
  }

  delete(object: KubernetesObject): Promise<void> {
    return this.methods.delete({ reference: reference(object) });
  }

  awaitReady(object: KubernetesObject, timeoutSeconds = 30): Promise<AwaitResult> {
    return this.methods.awaitReady({ reference: reference(object), timeoutSeconds });
  }

  get(object: KubernetesObject): KubernetesObject | undefined {
    return openStore(this.cloudDir).get(reference(object));
  }

  pods(): Pod[] {
    return openStore(this.cloudDir).list("", "Pod") as unknown as Pod[];
  }

  async until(condition: () => boolean, what: string, timeout = 20_000): Promise<void> {
    const holds = () => {
      try {
        return condition();
      } catch {
        // A file that is being replaced at this moment.
        return false;
      }
    };
    if (!(await waitUntil(holds, timeout))) {
      throw new Error(
        `never happened: ${what}\n${JSON.stringify(
          this.pods().map(({ status }) => status),
          null,
          1,
        )}`,
      );
    }
  }

  log(pod: Pod, container = "main"): string {
    return readFileSync(join(this.cloudDir, "kubernetes/pods/default", pod.metadata.name, `${container}.log`), "utf8");
  }

  /** What runs of this cluster. */
  processes(): number[] {
    return processesNaming(this.cloudDir);
  }
}

export function reference(object: KubernetesObject): ObjectReference {
  const { name, namespace = "default" } = object.metadata;
  return {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: object.kind === "Namespace" ? "" : namespace,
    name,
  };
}

export function job(
  name: string,
  script: string,
  spec: object = {},
  container: object = {},
  pod: object = {},
): KubernetesObject {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      backoffLimit: 0,
      ...spec,
      template: {
        spec: {
          restartPolicy: "Never",
          ...pod,
          containers: [
            {
              name: "main",
              image: "shell",
              args: [script],
              terminationMessagePolicy: "FallbackToLogsOnError",
              ...container,
            },
          ],
        },
      },
    },
  };
}

export function deployment(tag: string, spec: Record<string, unknown> = {}, container: object = {}): KubernetesObject {
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: labels },
      ...spec,
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 10,
          containers: [
            {
              name: "main",
              image: `server:${tag}`,
              env: [{ name: "PORT", value: "3000" }],
              ports: [{ name: "http", containerPort: 3000 }],
              readinessProbe: { httpGet: { path: "/health", port: "http" }, periodSeconds: 1 },
              lifecycle: { preStop: { sleep: { seconds: 0.2 } } },
              ...container,
            },
          ],
        },
      },
    },
  };
}

export const WEB_SERVICE: KubernetesObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
};
