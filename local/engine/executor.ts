import { isInitError } from "../cloud/provider";
import { systemErrorInWords } from "../system-error";
import { type Deployment, PARALLEL } from "./deployment";
import type { StepEvent } from "./events";
import { worthSaving } from "./snapshot";
import type { PendingOperation, ResourceState } from "./state";
import { apply, deletesForReal, ProtectedError, type Step } from "./step";
import { isDefaultProvider, urnName, urnType } from "./urn";
import { containsUnknown, sameValue } from "./values";

/**
 * Runs several chains of steps at the same time; the steps of one chain run one after the other. The state is written
 * before and after each call of a provider. After the first failure no further step starts
 * (pkg/resource/deploy/step_executor.go).
 */
export class Executor {
  /** Resources that were not deleted because they are protected. */
  readonly refusedDeletes: ResourceState[] = [];
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly chains = new Set<Promise<void>>();

  constructor(private readonly deployment: Deployment) {}

  run(chain: Step[]): Promise<void> {
    const finished = this.runChain(chain).finally(() => {
      this.chains.delete(finished);
    });
    this.chains.add(finished);
    return finished;
  }

  /** Waits until no chain is running. */
  async idle(): Promise<void> {
    while (this.chains.size > 0) await Promise.race(this.chains);
  }

  private async runChain(chain: Step[]): Promise<void> {
    if (chain.length === 0) return;
    await this.slot();
    try {
      for (const step of chain) {
        if (this.deployment.stopped.signal.aborted) return;
        if (!(await this.runStep(step))) return;
      }
    } catch (error) {
      // The engine failed and not the step, most likely while writing the state. Further steps would not be recorded.
      this.deployment.fail(`The state could not be kept: ${systemErrorInWords(error) ?? (error as Error).message}`);
      this.deployment.stopped.abort();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }

  private async runStep(step: Step): Promise<boolean> {
    const { deployment } = this;
    const event = this.started(step);
    const pending = this.begin(step);
    let failure: Error | undefined;
    try {
      await apply(step, deployment);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    if (deployment.terminated) return false;
    if (pending) deployment.snapshot.end(pending);
    this.record(step, failure);
    if (failure) this.fail(step, failure, event);
    else this.succeed(step, event);
    return !failure;
  }

  private started(step: Step): StepEvent | undefined {
    if (step.op === "same" || step.op === "remove-pending-replace" || isDefaultProvider(step.urn)) return undefined;
    const event: StepEvent = {
      kind: "step",
      step: this.deployment.nextStep(),
      type: urnType(step.urn),
      name: urnName(step.urn),
      urn: step.urn,
      op: step.op,
      status: "started",
      startedAt: new Date().toISOString(),
    };
    if (step.diffs?.length) event.diffs = step.diffs;
    if (step.replaces?.length) event.replaces = step.replaces;
    if (step.op.startsWith("delete") && step.old?.retainOnDelete) event.retained = true;
    this.deployment.emit({ ...event });
    return event;
  }

  private begin(step: Step): PendingOperation | undefined {
    const { preview, snapshot } = this.deployment;
    const operations = {
      create: "creating",
      update: "updating",
      delete: "deleting",
      read: "reading",
      import: "importing",
    } as const;
    const type = operations[step.op.split("-")[0] as keyof typeof operations];
    const resource = step.next ?? step.old;
    if (preview || !type || !resource?.custom || isDefaultProvider(step.urn)) return undefined;
    if (type === "deleting" && !deletesForReal(step)) return undefined;
    return snapshot.begin({ resource: { ...resource, id: resource.id ?? step.old?.id }, type });
  }

  /** Records a step's outcome in the state, unless it failed. A resource that exists but is not healthy is recorded. */
  private record(step: Step, failure: Error | undefined): void {
    const { deployment } = this;
    const { old, next, op } = step;
    const done = !failure || isInitError(failure);
    if (done && next && op !== "replace") {
      deployment.learn(next);
      deployment.news.set(next.urn, next);
      deployment.snapshot.confirm(next);
      if (old && (op !== "create-replacement" || old.pendingReplacement)) deployment.snapshot.remove(old);
    }
    if (done && old && !next && !old.pendingReplacement) deployment.snapshot.remove(old);
    if (done && op === "remove-pending-replace" && old) deployment.snapshot.remove(old);
    if (op === "replace") return;
    if (op === "same" && old && next && !worthSaving(old, next)) return;
    deployment.snapshot.save();
  }

  private succeed(step: Step, event: StepEvent | undefined): void {
    const { deployment } = this;
    this.ended(event, "succeeded");
    const { op } = step;
    const physical = op === "create-replacement" || op === "delete-replaced";
    const internal = isDefaultProvider(step.urn) || op === "remove-pending-replace";
    const unchanged = op === "read" && !readsAnew(step);
    if (!physical && !internal && !unchanged) deployment.count(op);
    if (step.next) step.reply?.(step.next);
  }

  private fail(step: Step, failure: Error, event: StepEvent | undefined): void {
    const { deployment } = this;
    const text = deployment.redaction.redact(failure.message);
    if (event) {
      deployment.errors.push(text);
      this.ended(event, "failed", text);
    } else {
      deployment.fail(text, step.urn);
    }
    // Nothing was done to a protected resource, and all protected ones are reported together, so the run continues.
    if (failure instanceof ProtectedError && step.old) this.refusedDeletes.push(step.old);
    else deployment.stopped.abort();
  }

  private ended(event: StepEvent | undefined, status: "succeeded" | "failed", error?: string): void {
    if (!event) return;
    this.deployment.emit({ ...event, status, endedAt: new Date().toISOString(), ...(error ? { error } : {}) });
  }

  private async slot(): Promise<void> {
    if (this.running < PARALLEL) this.running += 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

/** Whether a read found a change. Other reads are not counted (pkg/engine/update.go, `shouldRecordReadStep`). */
function readsAnew({ old, next }: Step): boolean {
  if (!old?.outputs || !next?.outputs || containsUnknown(next.outputs)) return false;
  return !sameValue(old.outputs, next.outputs);
}
