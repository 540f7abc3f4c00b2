import { rmSync } from "node:fs";
import { join } from "node:path";
import { raiseDefect } from "../defect";
import { killLeftovers } from "./container-process";
import { type KubernetesObject, referenceTo } from "./object";
import { PodWorker } from "./pod";
import { podDirectory } from "./pod-directory";
import { isFinished, type Pod, type PodStatus } from "./pod-types";
import { givePortBack, takePodPort } from "./ports";
import { kubernetesDirectory, timestamp, type WritableStore } from "./store";
import type { Timing } from "./timing";

/** The annotation of a pod that contains, as JSON, the port of this machine for each container port. */
const PORTS_ANNOTATION = "local-cloud/ports";

const RETRY_MILLISECONDS = 1_000;

/** The seconds that `down` gives programs to finish before it kills them. */
const STOP_GRACE_SECONDS = 5;

/** The node: runs the pods that are in the store, and ends those that are marked for deletion. */
export class Kubelet {
  private readonly workers = new Map<string, PodWorker>();
  private readonly starting = new Set<string>();
  private stopping = false;

  constructor(
    private readonly cloudDir: string,
    private readonly store: WritableStore,
    private readonly timing: Timing,
  ) {}

  /** Kills the processes that an ended background process left, then runs the pods of the store from now on. */
  async start(): Promise<void> {
    await killLeftovers(join(kubernetesDirectory(this.cloudDir), "pods"));
    rmSync(join(kubernetesDirectory(this.cloudDir), "secrets", "_mounted"), { recursive: true, force: true });
    for (const pod of this.store.list("", "Pod") as unknown as Pod[]) this.afterCrash(pod);
    this.store.on("change", (object, what) => {
      if (object.kind === "Pod" && what === "set") this.sync(object as unknown as Pod);
    });
  }

  /** Ends every pod's processes; the objects in the store stay unchanged. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.workers].map(([, worker]) => worker.stop(STOP_GRACE_SECONDS, { hooks: false })));
  }

  /**
   * Ends a pod of the last background process as if its node was lost: a Job counts a failure, and a Deployment creates
   * a new pod.
   */
  private afterCrash(pod: Pod): void {
    const controlled = pod.metadata.ownerReferences?.some(({ kind }) => kind === "ReplicaSet");
    if (pod.metadata.deletionTimestamp || controlled) {
      rmSync(podDirectory(this.cloudDir, pod.metadata), { recursive: true, force: true });
      this.store.remove(referenceTo(pod));
    } else if (!isFinished(pod)) {
      const status: PodStatus = {
        ...(pod.status ?? { conditions: [] }),
        phase: "Failed",
        reason: "NodeLost",
        message: "The local cloud's background process ended while this pod was running.",
      };
      status.containerStatuses = status.containerStatuses?.map((container) => ({
        ...container,
        ready: false,
        started: false,
        state: container.state.terminated
          ? container.state
          : {
              terminated: {
                exitCode: 137,
                reason: "Error",
                message: status.message,
                startedAt: container.state.running?.startedAt ?? timestamp(),
                finishedAt: timestamp(),
              },
            },
      }));
      status.conditions = status.conditions.map((condition) =>
        condition.type === "Ready" || condition.type === "ContainersReady"
          ? { type: condition.type, status: "False", reason: "PodFailed", lastTransitionTime: timestamp() }
          : condition,
      );
      this.store.setStatus(pod as unknown as KubernetesObject, status);
    }
  }

  private sync(pod: Pod): void {
    const uid = pod.metadata.uid!;
    if (this.stopping) return;
    if (pod.metadata.deletionTimestamp) void this.remove(pod);
    else if (!isFinished(pod) && !this.workers.has(uid) && !this.starting.has(uid)) {
      this.run(pod).catch((error) => {
        // The pod does not run yet, most likely because the disk is full.
        console.error(`pod ${pod.metadata.name} could not be started yet:`, error);
        raiseDefect(error);
        setTimeout(() => this.syncAnew(pod), RETRY_MILLISECONDS).unref();
      });
    }
  }

  private syncAnew(pod: Pod): void {
    const now = this.store.get(referenceTo(pod)) as unknown as Pod | undefined;
    if (now) this.sync(now);
  }

  private async run(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid!;
    this.starting.add(uid);
    try {
      const ports = await this.assignPorts(pod);
      const current = this.store.get(referenceTo(pod)) as unknown as Pod | undefined;
      if (this.stopping || current?.metadata.uid !== uid || current.metadata.deletionTimestamp) return;
      const annotations = {
        ...current.metadata.annotations,
        [PORTS_ANNOTATION]: JSON.stringify(Object.fromEntries(ports)),
      };
      const assigned = {
        ...current,
        metadata: { ...current.metadata, annotations },
        spec: { ...current.spec, nodeName: "local" },
      };
      this.store.set(assigned as unknown as KubernetesObject);
      const around = { cloudDir: this.cloudDir, store: this.store, timing: this.timing, ports };
      const publish = (status: PodStatus) => this.store.setStatus(assigned as unknown as KubernetesObject, status);
      this.workers.set(uid, new PodWorker(assigned, around, publish));
    } finally {
      this.starting.delete(uid);
      const now = this.store.get(referenceTo(pod)) as unknown as Pod | undefined;
      if (now?.metadata.uid === uid && now.metadata.deletionTimestamp) void this.remove(now);
    }
  }

  private readonly removing = new Set<string>();

  private async remove(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid!;
    if (this.removing.has(uid) || this.starting.has(uid)) return;
    this.removing.add(uid);
    const worker = this.workers.get(uid);
    const grace = Number(pod.metadata["deletionGracePeriodSeconds"] ?? pod.spec.terminationGracePeriodSeconds ?? 30);
    await worker?.stop(grace);
    if (this.store.closed) return;
    worker?.removeFiles();
    rmSync(podDirectory(this.cloudDir, pod.metadata), { recursive: true, force: true });
    for (const port of portsOf(pod).values()) givePortBack(port);
    this.workers.delete(uid);
    this.removing.delete(uid);
    this.store.remove(referenceTo(pod));
  }

  /** Assigns a port of this machine to each container that reads its port from `PORT`; two pods can't share one. */
  private async assignPorts(pod: Pod): Promise<Map<number, number>> {
    const ports = new Map<number, number>();
    for (const { env = [], ports: declared = [] } of pod.spec.containers) {
      const told = Number(env.find(({ name }) => name === "PORT")?.value);
      if (declared.some(({ containerPort }) => containerPort === told)) ports.set(told, await takePodPort());
    }
    return ports;
  }
}

export function portsOf(pod: Pod): Map<number, number> {
  const ports = JSON.parse(pod.metadata.annotations?.[PORTS_ANNOTATION] ?? "{}") as Record<string, number>;
  return new Map(Object.entries(ports).map(([port, own]) => [Number(port), own]));
}
