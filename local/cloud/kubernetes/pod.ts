import { rmSync } from "node:fs";
import { raiseDefect } from "../defect";
import { Configuration, MissingReference, POD_IP } from "./configuration";
import { type ContainerRole, ContainerRunner, type ContainerSurroundings } from "./container";
import { pause } from "./pause";
import { podDirectory } from "./pod-directory";
import { type Condition, type ContainerStatus, type Pod, type PodStatus, withCondition } from "./pod-types";
import { timestamp } from "./store";
import { removeVolumes, writeVolumes } from "./volumes";

/** Whether an init container is a native sidecar. */
function isSidecar({ restartPolicy }: Pod["spec"]["containers"][number]): boolean {
  return restartPolicy === "Always";
}

/** Runs one pod from its start to its end and reports its status. */
export class PodWorker {
  /** The init containers without the sidecars. */
  private readonly init: ContainerRunner[];
  /** The init containers with `restartPolicy: Always`, which run beside the others until these have ended. */
  private readonly sidecars: ContainerRunner[];
  /** Both of them in their order, in which they are started. */
  private readonly inits: ContainerRunner[];
  private readonly main: ContainerRunner[];
  private readonly stopped = new AbortController();
  private readonly startTime = timestamp();
  private readonly finished: Promise<void>;
  private ending: Promise<void> | undefined;
  private conditions: Condition[] = [];
  private initialized = false;
  private deadlineExceeded = false;
  private sidecarsEnded = false;

  constructor(
    private readonly pod: Pod,
    private readonly around: Omit<ContainerSurroundings, "changed">,
    private readonly publish: (status: PodStatus) => void,
  ) {
    const surroundings = { ...around, changed: () => this.report() };
    const runners = (role: ContainerRole) => (container: Pod["spec"]["containers"][number]) =>
      new ContainerRunner(pod, container, role, surroundings);
    const declared = pod.spec.initContainers ?? [];
    this.inits = declared.map((each) => runners(isSidecar(each) ? "sidecar" : "init")(each));
    this.init = this.inits.filter((_, index) => !isSidecar(declared[index]!));
    this.sidecars = this.inits.filter((_, index) => isSidecar(declared[index]!));
    this.main = pod.spec.containers.map(runners("main"));
    this.finished = this.run().catch((error) => {
      console.error(`pod ${pod.metadata.name}:`, error);
      raiseDefect(error);
    });
  }

  /**
   * Ends all containers at the same time, as Kubernetes does: preStop, SIGTERM, and SIGKILL after the grace period.
   * Resolves when no process of the pod is left.
   */
  stop(graceSeconds: number, options: { hooks?: boolean } = {}): Promise<void> {
    this.stopped.abort();
    this.ending ??= Promise.all([...this.inits, ...this.main].map((runner) => runner.stop(graceSeconds, options)))
      .then(() => this.finished)
      .then(() => removeVolumes(this.around.cloudDir, this.pod));
    return this.ending;
  }

  removeFiles(): void {
    removeVolumes(this.around.cloudDir, this.pod);
    rmSync(podDirectory(this.around.cloudDir, this.pod.metadata), { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    this.report();
    this.watchDeadline();
    if (!(await this.mountVolumes())) return;
    for (const container of this.inits) {
      if (this.sidecars.includes(container)) {
        void container.run();
        while (!container.status.started && !this.stopped.signal.aborted)
          await pause(this.around.timing.noticeMilliseconds, this.stopped.signal);
        continue;
      }
      await container.run();
      if (this.stopped.signal.aborted) return;
      if (container.status.state.terminated?.exitCode !== 0) {
        removeVolumes(this.around.cloudDir, this.pod);
        return this.report();
      }
    }
    this.initialized = true;
    for (const { status } of this.main) status.state = { waiting: { reason: "ContainerCreating" } };
    this.report();
    await Promise.all(this.main.map((container) => container.run()));
    const grace = this.pod.spec.terminationGracePeriodSeconds ?? 30;
    await Promise.all(this.sidecars.map((container) => container.stop(grace)));
    this.sidecarsEnded = true;
    removeVolumes(this.around.cloudDir, this.pod);
    this.report();
  }

  private async mountVolumes(): Promise<boolean> {
    const configuration = new Configuration(this.around.store, this.pod);
    while (!this.stopped.signal.aborted) {
      try {
        writeVolumes(this.around.cloudDir, this.pod, configuration);
        return true;
      } catch (error) {
        // The containers stay "ContainerCreating", as on a real node; a real cluster reports the cause in an event.
        if (!(error instanceof MissingReference)) console.error(`volumes of pod ${this.pod.metadata.name}:`, error);
        await pause(this.around.timing.retryMilliseconds, this.stopped.signal);
      }
    }
    return false;
  }

  private watchDeadline(): void {
    const seconds = this.pod.spec.activeDeadlineSeconds;
    if (seconds === undefined) return;
    void pause(seconds * 1000, this.stopped.signal).then(() => {
      if (this.stopped.signal.aborted || this.phase() === "Succeeded" || this.phase() === "Failed") return;
      this.deadlineExceeded = true;
      void this.stop(this.pod.spec.terminationGracePeriodSeconds ?? 30).then(() => this.report());
    });
  }

  private phase(): PodStatus["phase"] {
    const init = this.init.map(({ status }) => status);
    const main = this.main.map(({ status }) => status);
    if (this.deadlineExceeded) return "Failed";
    const policy = this.pod.spec.restartPolicy ?? "Always";
    const ended = (status: ContainerStatus) => status.state.terminated !== undefined;
    const failed = (status: ContainerStatus) => ended(status) && status.state.terminated?.exitCode !== 0;
    if (policy === "Never" && init.some(failed)) return "Failed";
    if (!this.initialized) return "Pending";
    if (main.every(ended)) {
      if (this.sidecars.length > 0 && !this.sidecarsEnded) return "Running";
      if (policy === "Never" || this.stopped.signal.aborted) return main.some(failed) ? "Failed" : "Succeeded";
      if (policy === "OnFailure" && !main.some(failed)) return "Succeeded";
      return "Running";
    }
    const hasRun = ({ state, restartCount }: ContainerStatus) => state.waiting === undefined || restartCount > 0;
    return main.some(hasRun) ? "Running" : "Pending";
  }

  private report(): void {
    const now = timestamp();
    const phase = this.phase();
    for (const condition of this.currentConditions(phase))
      this.conditions = withCondition(this.conditions, condition, now);
    this.publish({
      phase,
      ...(this.deadlineExceeded
        ? { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" }
        : {}),
      conditions: this.conditions,
      hostIP: POD_IP,
      podIP: POD_IP,
      podIPs: [{ ip: POD_IP }],
      startTime: this.startTime,
      qosClass: "BestEffort",
      ...(this.inits.length > 0
        ? { initContainerStatuses: this.inits.map(({ status }) => structuredClone(status)) }
        : {}),
      containerStatuses: this.main.map(({ status }) => structuredClone(status)),
    });
  }

  private currentConditions(phase: PodStatus["phase"]): Condition[] {
    const waiting = this.init.filter(({ status }) => !status.ready).map(({ status }) => status.name);
    const initialized: Condition = this.initialized
      ? { type: "Initialized", status: "True" }
      : incomplete(
          "Initialized",
          "ContainersNotInitialized",
          `containers with incomplete status: [${waiting.join(" ")}]`,
        );
    const unready = this.main.filter(({ status }) => !status.ready).map(({ status }) => status.name);
    const ready = (type: string): Condition => {
      if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
      if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
      if (unready.length === 0) return { type, status: "True" };
      return incomplete(type, "ContainersNotReady", `containers with unready status: [${unready.join(" ")}]`);
    };
    return [{ type: "PodScheduled", status: "True" }, initialized, ready("ContainersReady"), ready("Ready")];
  }
}

function incomplete(type: string, reason: string, message: string): Condition {
  return { type, status: "False", reason, message };
}
