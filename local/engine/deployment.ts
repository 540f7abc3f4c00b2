import type { Json, Properties, Provider } from "../cloud/provider";
import { ErrorHooks } from "./error-hooks";
import type { DiagnosticEvent, EngineEvent, EngineOptions, Operation } from "./events";
import { Redaction } from "./redaction";
import type { Snapshot } from "./snapshot";
import { StackReferences } from "./stack-reference";
import { type ResourceState, secretsOf } from "./state";
import { packageOf, referenceUrn } from "./urn";
import { plainProperties } from "./values";

/** The number of steps that run at the same time; the CLI uses the same number on four cores. */
export const PARALLEL = 16;

/** The data that all parts of one run share: options, state, providers, registered resources, and the stop signal. */
export class Deployment {
  /** The resources registered or read so far, in their state after their step; the key is the URN. */
  readonly news = new Map<string, ResourceState>();
  readonly counts: Partial<Record<Operation, number>> = {};
  readonly errors: string[] = [];
  readonly errorHooks = new ErrorHooks();
  readonly redaction = new Redaction();
  readonly stackReferences: StackReferences;
  /** Fires when no new step may start because a step failed or the user asked to stop. */
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

  /** The user does not wait for running steps: results that providers still return must no longer change the state. */
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

  /** Reports an error that belongs to no step. The run continues to its end and is then reported as failed. */
  fail(message: string, urn?: string): void {
    this.errors.push(this.redaction.redact(message));
    this.diagnose("error", message, urn);
  }

  learn(resource: ResourceState): void {
    secretsOf(resource, (content) => this.redaction.learn(content));
  }

  /**
   * Returns the provider of a resource type or function token.
   * @param reference the provider's reference, `URN::ID`, whose settings it has; default: no settings
   * @throws Error when this engine has no provider for its package, or its settings don't allow any call
   */
  provider(token: string, reference = ""): Provider {
    const name = packageOf(token);
    if (name === "pulumi") return this.stackReferences;
    const provider = this.options.providers[name];
    if (provider) return provider.configure?.(this.settingsOf(referenceUrn(reference))) ?? provider;
    const served = Object.keys(this.options.providers).sort().join(", ");
    throw new Error(`No provider for package "${name}" (${token}): the embedded engine serves ${served || "none"}.`);
  }

  /** The inputs of a provider that the program has registered, or else that of the last run. */
  private settingsOf(urn: string): Properties {
    const state = this.news.get(urn) ?? this.snapshot.base.find((resource) => resource.urn === urn);
    return plainProperties(state?.inputs);
  }

  /** A provider's settings are the configuration keys that start with its package's name, such as `aws:region`. */
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
