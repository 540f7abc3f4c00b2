import type { Json, Provider } from "../cloud/provider";

/** The operations, with the names that the Pulumi CLI uses (pkg/resource/deploy/step.go). */
export type Operation =
  | "same"
  | "create"
  | "import"
  | "update"
  | "delete"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "read"
  | "discard"
  | "discard-replaced"
  | "remove-pending-replace"
  | "refresh";

/** One step, reported when it starts and again when it ends. Unchanged resources have no step. */
export interface StepEvent {
  kind: "step";
  /** The number of the step in this run, counted from 1; it is the same in the start and the end event. */
  step: number;
  type: string;
  name: string;
  urn: string;
  op: Operation;
  status: "started" | "succeeded" | "failed";
  /** The start time in ISO 8601; `endedAt` has the same format. */
  startedAt: string;
  endedAt?: string;
  /** The whole error text of a failed step, with secrets replaced by `[secret]`. */
  error?: string;
  /** The paths of the properties that changed. */
  diffs?: string[];
  /** The paths of the changed properties that require a replacement. */
  replaces?: string[];
  /** The step only removes the resource from the state; the resource itself continues to exist (`retainOnDelete`). */
  retained?: boolean;
  /** The result of a refresh; missing for other operations. */
  found?: "same" | "update" | "delete";
}

export interface DiagnosticEvent {
  kind: "diagnostic";
  severity: "info" | "warning" | "error";
  message: string;
  urn?: string;
}

interface SummaryEvent extends Summary {
  kind: "summary";
}

export type EngineEvent = StepEvent | DiagnosticEvent | SummaryEvent;

export interface Summary {
  ok: boolean;
  /** The number of resources per operation, including `same`. A replacement counts once, as `replace`. */
  summary: Partial<Record<Operation, number>>;
  /** The stack's current outputs. A secret is shown as `[secret]`, a value not known before `up` as `[unknown]`. */
  outputs: Record<string, Json>;
  durationMs: number;
}

export interface EngineResult extends Summary {
  /** The messages of all failures, in the order in which they happened. */
  errors: string[];
  /** Whether the user asked to stop (`signal`) before the end. */
  canceled: boolean;
}

export interface EngineOptions {
  /** The program's directory, which contains Pulumi.yaml. */
  directory: string;
  project: string;
  stack: string;
  /** The configuration. Keys are fully qualified, `project:key`; objects are JSON text. */
  config: Record<string, string>;
  /** The fully qualified keys of `config` whose values are secret. */
  secretKeys?: string[];
  stateDir: string;
  /** Environment variables of the program besides those of this process. Default: none. */
  variables?: Record<string, string> | undefined;
  /** The providers by package: `aws`, `kubernetes`, `command`. The engine itself provides the package `pulumi`. */
  providers: Record<string, Provider>;
  onEvent?(event: EngineEvent): void;
  /** The first request to stop: no step starts any more, and running steps finish. */
  signal?: AbortSignal;
  /** The second request to stop: running steps are not waited for and stay in the state as pending operations. */
  hardSignal?: AbortSignal;
}
