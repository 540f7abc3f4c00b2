import type { Properties } from "../cloud/provider";
import { RegistrationError, type Reply } from "./decisions";
import { runDeletes } from "./deletes";
import type { Deployment } from "./deployment";
import type { Callback } from "./error-hooks";
import { Executor } from "./executor";
import type { Goal } from "./goal";
import { type InvokeGoal, type ProgramRequests, serveMonitor } from "./monitor";
import { Plan, type ReadGoal } from "./plan";
import { Program, type ProgramEnd } from "./program";
import type { ResourceState } from "./state";
import type { Step } from "./step";
import { qualifiedType, STACK_TYPE } from "./urn";
import { plainProperties, sameValue } from "./values";

/** Runs the program and carries out its registrations (pkg/resource/deploy/deployment_executor.go, source_eval.go). */
export class Update implements ProgramRequests {
  private readonly executor: Executor;
  private readonly plan: Plan;
  private queue: Promise<unknown> = Promise.resolve();
  /** The messages that the program logged as errors. They count as errors only if the program fails. */
  private readonly complaints: string[] = [];
  private stackOutputs: { urn: string; outputs: Properties } | undefined;
  private readonly asked = signal();
  private readonly done = signal();

  constructor(private readonly deployment: Deployment) {
    this.executor = new Executor(deployment);
    this.plan = new Plan(deployment, (steps) => this.executor.run(steps));
  }

  async run(): Promise<void> {
    const { deployment } = this;
    const monitor = await serveMonitor(this);
    deployment.options.hardSignal?.addEventListener("abort", monitor.close, { once: true });
    try {
      await this.follow(
        new Program(deployment.options, monitor.address, deployment.preview, (line) =>
          deployment.diagnose("info", line),
        ),
      );
    } finally {
      monitor.close();
    }
  }

  private async follow(program: Program): Promise<void> {
    const { deployment } = this;
    const stopped = onAbort(deployment.stopped.signal);
    deployment.options.hardSignal?.addEventListener("abort", () => program.kill(), { once: true });
    try {
      const ended = await Promise.race([program.ended, this.asked.promise, stopped]);
      // After a stop the program waits for replies that will not come, so it is killed.
      if (deployment.stopped.signal.aborted) program.kill();
      if (ended) this.judge(ended);
      await this.queue;
      await this.executor.idle();
      const complete = !deployment.stopped.signal.aborted && (ended === undefined || ended.ok);
      if (complete) {
        await runDeletes(deployment, this.plan, this.executor);
        await this.executor.idle();
      }
      if (!deployment.terminated) this.finishOutputs();
      this.done.resolve();
      if (complete && !ended) this.judge(await program.finish());
    } finally {
      program.kill();
      await program.ended;
    }
  }

  register(goal: Goal): Promise<ResourceState> {
    return this.submit((reply) => this.plan.register(goal, reply));
  }

  read(goal: ReadGoal): Promise<ResourceState> {
    return this.submit((reply) => this.plan.read(goal, reply));
  }

  async outputs(urn: string, outputs: Properties): Promise<void> {
    const { deployment } = this;
    if (qualifiedType(urn) === STACK_TYPE) {
      this.stackOutputs = { urn, outputs };
      return;
    }
    const state = deployment.news.get(urn);
    if (!state || sameValue(state.outputs, outputs)) return;
    state.outputs = outputs;
    deployment.learn(state);
    if (!deployment.terminated) deployment.snapshot.save();
  }

  async invoke({ token, args, provider, version }: InvokeGoal): Promise<Properties> {
    const { deployment } = this;
    const reference = provider || (await this.defaultProvider(token, version));
    try {
      const { preview } = deployment;
      return await deployment.provider(token, reference).invoke({ token, args: plainProperties(args), preview });
    } catch (error) {
      const reason = deployment.redaction.redact((error as Error).message);
      throw new Error(`invocation of ${token} returned an error: ${reason}`);
    }
  }

  /**
   * Creates the default provider that a function needs, in the order of the registrations.
   * @throws Error when the stack's configuration disables it
   */
  private defaultProvider(token: string, version: string): Promise<string> {
    const created = this.queue.then(() => this.plan.providerOf(token, version, token));
    this.queue = created.catch(() => {});
    return created.catch((error: Error) => {
      const refused = error instanceof RegistrationError;
      throw new Error(`Invoke: ${refused ? "" : "getProviderFromSource: "}${error.message}`);
    });
  }

  registerErrorHook(name: string, callback: Callback): void {
    this.deployment.errorHooks.register(name, callback);
  }

  log(severity: "info" | "warning" | "error", message: string, urn: string): void {
    const text = readable(message);
    if (severity === "error") this.complaints.push(this.deployment.redaction.redact(text));
    this.deployment.diagnose(severity, text, urn);
  }

  finished(): Promise<void> {
    this.asked.resolve();
    return this.done.promise;
  }

  refuse(error: Error): void {
    if (error.message !== "")
      this.deployment.fail(error.message, error instanceof RegistrationError ? error.urn : undefined);
    this.deployment.stopped.abort();
  }

  /** Decides about registrations one at a time, and runs their steps in parallel. */
  private submit(decide: (reply: Reply) => Promise<Step[]>): Promise<ResourceState> {
    return new Promise((reply) => {
      this.queue = this.queue.then(async () => {
        if (this.deployment.stopped.signal.aborted) return;
        try {
          void this.executor.run(await decide(reply));
        } catch (error) {
          this.refuse(error as Error);
        }
      });
    });
  }

  private judge({ ok, message }: ProgramEnd): void {
    const { deployment, complaints } = this;
    if (ok) return;
    deployment.errors.push(...complaints);
    if (message !== undefined) deployment.fail(message);
    else if (!deployment.failed && !deployment.canceled) deployment.fail("The program failed.");
  }

  /**
   * Replaces the stack's outputs by those that the program set. After a failure the new outputs are only added, because
   * the program may have ended before it set the missing ones.
   */
  private finishOutputs(): void {
    const { deployment } = this;
    const stackOutputs = this.stackOutputs;
    const stack = stackOutputs && deployment.news.get(stackOutputs.urn);
    if (!stack) return;
    const kept = deployment.failed ? (stack.outputs ?? {}) : {};
    const outputs = { ...kept, ...stackOutputs.outputs };
    if (sameValue(stack.outputs, outputs)) return;
    stack.outputs = outputs;
    deployment.learn(stack);
    deployment.snapshot.save();
  }
}

/** Removes the lines of a stack trace that are not in the user's own files. */
function readable(message: string): string {
  const lines = message.split("\n");
  const foreign = /^\s+at .*(node_modules|node:internal|\(<anonymous>\)|new Promise)/;
  return lines.filter((line) => !foreign.test(line)).join("\n");
}

function signal(): { promise: Promise<undefined>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<undefined>((settle) => {
    resolve = () => settle(undefined);
  });
  return { promise, resolve };
}

function onAbort(abort: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (abort.aborted) resolve(undefined);
    else abort.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
