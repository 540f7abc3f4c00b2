import type { Json, Properties, Provider } from "../cloud/provider";
import { ErrorHooks } from "./error-hooks";
import type { DiagnosticEvent, EngineEvent, EngineOptions, Operation } from "./events";
import { Redaction } from "./redaction";
import type { Snapshot } from "./snapshot";
import { StackReferences } from "./stack-reference";
import { type ResourceState, secretsOf } from "./state";
import { packageOf } from "./urn";

/** Steps that run at the same time, as many as the CLI runs on four cores. */
export const PARALLEL = 16;

/** What one run of the engine shares: options, state, providers, what was seen, whether to go on. */
export class Deployment {
  /** Resources registered or read so far, as they are after their step. */
  readonly news = new Map<string, ResourceState>();
  readonly counts: Partial<Record<Operation, number>> = {};
  readonly errors: string[] = [];
  readonly errorHooks = new ErrorHooks();
  readonly redaction = new Redaction();
  readonly stackReferences: StackReferences;
  /** Fires when no new step may start: a step failed, or the person asked to stop. */
  readonly stopped = new AbortController();
  private steps = 0;

  constructor(
    readonly options: EngineOptions,
    readonly snapshot: Snapshot,
    readonly preview: boolean,
  ) {
    this.stackReferences = new StackReferences(options.stateDir, options.project, (value) =>
      this.redaction.learn(value),
    );
    for (const key of options.secretKeys ?? []) this.redaction.learn(configValue(options.config[key] ?? ""));
    for (const resource of snapshot.base) this.learn(resource);
    const stop = () => this.stopped.abort();
    if (options.signal?.aborted) stop();
    else options.signal?.addEventListener("abort", stop, { once: true });
  }

  get failed(): boolean {
    return this.errors.length > 0;
  }

  get canceled(): boolean {
    return this.options.signal?.aborted === true || this.terminated;
  }

  /** The person would not wait: whatever still comes back from a provider must not touch the state any more. */
  get terminated(): boolean {
    return this.options.hardSignal?.aborted === true;
  }

  nextStep(): number {
    this.steps += 1;
    return this.steps;
  }

  count(operation: Operation): void {
    this.counts[operation] = (this.counts[operation] ?? 0) + 1;
  }

  emit(event: EngineEvent): void {
    this.options.onEvent?.(event);
  }

  diagnose(severity: DiagnosticEvent["severity"], message: string, urn?: string): void {
    this.emit({ kind: "diagnostic", severity, message: this.redaction.redact(message), ...(urn ? { urn } : {}) });
  }

  /** An error that belongs to no step: the run goes on to its end, but that end is a failure. */
  fail(message: string, urn?: string): void {
    this.errors.push(this.redaction.redact(message));
    this.diagnose("error", message, urn);
  }

  learn(resource: ResourceState): void {
    secretsOf(resource, (content) => this.redaction.learn(content));
  }

  /** The provider that serves a type or token. Throws if this engine has none for its package. */
  provider(token: string): Provider {
    const name = packageOf(token);
    if (name === "pulumi") return this.stackReferences;
    const provider = this.options.providers[name];
    if (provider) return provider;
    const served = Object.keys(this.options.providers).sort().join(", ");
    throw new Error(`No provider for package "${name}" (${token}): the embedded engine serves ${served || "none"}.`);
  }

  /** Settings of a provider come from the configuration under its own name, `aws:region`. */
  providerConfig(packageName: string): Properties {
    const prefix = `${packageName}:`;
    const entries = Object.entries(this.options.config).filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value]));
  }
}

function configValue(text: string): Json {
  try {
    const parsed = JSON.parse(text) as Json;
    return typeof parsed === "object" ? [parsed, text] : text;
  } catch {
    return text;
  }
}
