import { delimiter, dirname, join } from "node:path";
import { neonVariables } from "../neon/service";
import { storeVariables } from "../s3/service";
import { Configuration, expand, MissingReference } from "./configuration";
import { watchHealth } from "./container-health";
import { boundLog, logTail } from "./container-log";
import { ContainerProcess, type Exit, type ProcessPlan, recordFile } from "./container-process";
import { findImage, type LocalImage } from "./image";
import { pause } from "./pause";
import { containerLog, podDirectory } from "./pod-directory";
import type { Container, ContainerStatus, Pod } from "./pod-types";
import { type HandlerTarget, runHandler } from "./probe";
import { readerCommands } from "./reader-commands";
import { type Store, timestamp } from "./store";
import type { Timing } from "./timing";
import { type PathMapping, writeMounts } from "./volumes";

export interface ContainerSurroundings {
  cloudDir: string;
  store: Store;
  timing: Timing;
  /** The ports of this machine by the pod's container ports. */
  ports: Map<number, number>;
  changed(): void;
}

/** When a container is started and ended. A sidecar is started among the init containers and ended after the others. */
export type ContainerRole = "init" | "sidecar" | "main";

interface Plan extends ProcessPlan {
  image: LocalImage;
  mapping: PathMapping;
}

interface Run {
  process: ContainerProcess;
  target: HandlerTarget;
  over: AbortController;
}

/** Runs the program of one container of a pod, watches its probes, and restarts it according to the restart policy. */
export class ContainerRunner {
  readonly status: ContainerStatus;
  private readonly stopped = new AbortController();
  private current: Run | undefined;

  constructor(
    private readonly pod: Pod,
    private readonly container: Container,
    private readonly role: ContainerRole,
    private readonly around: ContainerSurroundings,
  ) {
    this.status = {
      name: container.name,
      image: container.image ?? "",
      imageID: "",
      ready: false,
      started: false,
      restartCount: 0,
      state: { waiting: { reason: role === "main" ? "ContainerCreating" : "PodInitializing" } },
      lastState: {},
    };
  }

  /** Runs the container; resolves when it has ended for good or was stopped. */
  async run(): Promise<void> {
    for (let backOff = 0; !this.stopped.signal.aborted; ) {
      const image = await this.pull();
      const plan = image && (await this.configure(image));
      if (!plan || this.stopped.signal.aborted) return;
      const began = Date.now();
      try {
        await this.runOnce(plan);
      } catch (error) {
        // The process could not be created, for lack of memory or disk space.
        this.wait("RunContainerError", (error as Error).message);
        await pause(this.around.timing.backOff(backOff++), this.stopped.signal);
        continue;
      }
      if (this.stopped.signal.aborted || !this.restarts()) return;
      if (Date.now() - began > this.around.timing.backOffResetSeconds * 1000) backOff = 0;
      await this.backOff(backOff++);
    }
  }

  /** Runs preStop, sends SIGTERM, and SIGKILL after the grace period. Resolves when no process is left. */
  async stop(graceSeconds: number, { hooks = true }: { hooks?: boolean } = {}): Promise<void> {
    this.stopped.abort();
    const run = this.current;
    if (run) await this.end(run, graceSeconds, hooks);
  }

  private async end(run: Run, graceSeconds: number, hooks: boolean): Promise<void> {
    const deadline = Date.now() + graceSeconds * 1000;
    const preStop = this.container.lifecycle?.preStop;
    if (hooks && preStop && graceSeconds > 0) {
      const late = new AbortController();
      const ended = run.process.ended.then(() => late.abort());
      await Promise.race([
        runHandler(preStop, run.target, graceSeconds * 1000, late.signal),
        ended,
        pause(graceSeconds * 1000, late.signal),
      ]);
      late.abort();
    }
    run.process.terminate();
    const over = new AbortController();
    await Promise.race([run.process.ended.then(() => over.abort()), pause(deadline - Date.now(), over.signal)]);
    if (!over.signal.aborted) await run.process.kill();
    await run.process.ended;
  }

  private async pull(): Promise<LocalImage | undefined> {
    for (let attempt = 0; !this.stopped.signal.aborted; attempt++) {
      let why = "not found: the local cloud has no such image";
      try {
        const image = findImage(this.around.cloudDir, this.status.image);
        if (image) return image;
      } catch (error) {
        why = (error as Error).message;
      }
      why = `failed to pull and unpack image "${this.container.image}": ${why}`;
      this.wait("ErrImagePull", why);
      await pause(this.around.timing.backOff(0) / 5, this.stopped.signal);
      if (this.stopped.signal.aborted) return undefined;
      this.wait("ImagePullBackOff", `Back-off pulling image "${this.container.image}": ErrImagePull: ${why}`);
      await pause(this.around.timing.backOff(attempt), this.stopped.signal);
    }
    return undefined;
  }

  /** Prepares the run, and waits for missing Secrets and ConfigMaps. */
  private async configure(image: LocalImage): Promise<Plan | undefined> {
    while (!this.stopped.signal.aborted) {
      try {
        return this.plan(image);
      } catch (error) {
        const reason = error instanceof MissingReference ? "CreateContainerConfigError" : "CreateContainerError";
        this.wait(reason, (error as Error).message);
        await pause(this.around.timing.retryMilliseconds, this.stopped.signal);
      }
    }
    return undefined;
  }

  private plan(image: LocalImage): Plan {
    const { pod, container, around } = this;
    const mapping = writeMounts(around.cloudDir, pod, container);
    const declared = new Configuration(around.store, pod).environment(container);
    const env: Record<string, string> = {
      PATH: searchPath(),
      HOSTNAME: pod.metadata.name,
      ...readerCommands(around.cloudDir),
      ...storeVariables(around.cloudDir),
      ...neonVariables(around.cloudDir),
      ...image.env,
    };
    for (const [name, value] of Object.entries(declared)) env[name] = name === "PATH" ? value : mapping.map(value);
    env["NODE_OPTIONS"] = [env["NODE_OPTIONS"], LISTEN_ON_LOOPBACK].filter(Boolean).join(" ");
    const own = around.ports.get(Number(declared["PORT"]));
    if (own !== undefined) env["PORT"] = String(own);
    const words = container.command
      ? [...container.command, ...(container.args ?? [])]
      : [...image.entrypoint, ...(container.args ?? image.command)];
    if (words.length === 0) throw new Error("no command specified");
    return {
      image,
      mapping,
      argv: words.map((word) => mapping.map(expand(word, declared))),
      env,
      cwd: container.workingDir ? mapping.map(container.workingDir) : image.directory,
      log: containerLog(around.cloudDir, pod.metadata, container.name),
      record: recordFile(podDirectory(around.cloudDir, pod.metadata), container.name),
    };
  }

  private async runOnce(plan: Plan): Promise<void> {
    const { image, mapping, env, cwd } = plan;
    const startedAt = timestamp();
    const run: Run = {
      process: new ContainerProcess(plan),
      target: { port: (port) => this.hostPort(port), env, cwd, map: (text) => mapping.map(text) },
      over: new AbortController(),
    };
    this.current = run;
    this.change({ state: { running: { startedAt } }, started: false, ready: false });
    this.watch(run, image.neverReady);
    const bound = setInterval(() => boundLog(plan.log), 2_000);
    const exit = await run.process.ended;
    clearInterval(bound);
    run.over.abort();
    this.current = undefined;
    this.terminated(exit, startedAt, logTail(plan.log, run.process.logStart));
  }

  private terminated(exit: Exit, startedAt: string, tail: string): void {
    const { exitCode, signal, startError } = exit;
    const speaks = exitCode !== 0 && this.container.terminationMessagePolicy === "FallbackToLogsOnError";
    const message = startError ?? (speaks ? tail : "");
    this.status.state = {
      terminated: {
        exitCode,
        ...(signal === undefined ? {} : { signal }),
        reason: startError ? "StartError" : exitCode === 0 ? "Completed" : "Error",
        ...(message ? { message } : {}),
        startedAt,
        finishedAt: timestamp(),
      },
    };
    this.change({ ready: this.role === "init" && exitCode === 0, started: false });
  }

  private restarts(): boolean {
    const policy = this.pod.spec.restartPolicy ?? "Always";
    const failed = this.status.state.terminated?.exitCode !== 0;
    if (this.role === "sidecar") return true;
    if (this.role === "init") return failed && policy !== "Never";
    return policy === "Always" || (policy === "OnFailure" && failed);
  }

  /** Waits before a restart: not at all before the first, as on a real node, then 10 s, 20 s, … up to 5 min. */
  private async backOff(attempt: number): Promise<void> {
    this.status.lastState = this.status.state;
    if (attempt > 0) {
      const wait = this.around.timing.backOff(attempt - 1);
      const { name, namespace = "default" } = this.pod.metadata;
      const text = `back-off ${wait / 1000}s restarting failed container=${this.container.name} pod=${name}_${namespace}(${this.pod.metadata.uid})`;
      this.wait("CrashLoopBackOff", text);
      await pause(wait, this.stopped.signal);
    }
    this.status.restartCount++;
  }

  private watch(run: Run, neverReady: boolean): void {
    const signal = AbortSignal.any([run.over.signal, this.stopped.signal]);
    const { noticeMilliseconds } = this.around.timing;
    watchHealth(
      this.container,
      { target: run.target, signal, neverReady, noticeMilliseconds },
      {
        started: () => this.change({ started: true }),
        ready: (ready) => this.change({ ready }),
        sick: (why) => {
          console.error(`${this.pod.metadata.name}/${this.container.name} is restarted: ${why}`);
          void this.end(run, this.pod.spec.terminationGracePeriodSeconds ?? 30, true);
        },
      },
    );
  }

  private change(status: Partial<ContainerStatus>): void {
    Object.assign(this.status, status);
    this.around.changed();
  }

  private wait(reason: string, message: string): void {
    this.change({ state: { waiting: { reason, message } } });
  }

  private hostPort(port: number | string): number {
    const number = this.container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port);
    return this.around.ports.get(number) ?? number;
  }
}

const LISTEN_ON_LOOPBACK = `--require ${JSON.stringify(join(__dirname, "loopback.cjs"))}`;

/** The PATH of containers: this process's PATH, preceded by the directory of its Node.js. */
function searchPath(): string {
  return [dirname(process.execPath), process.env["PATH"] ?? join("/usr", "bin")].join(delimiter);
}
