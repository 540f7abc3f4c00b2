import type { Json, Provider } from "../cloud/provider";

/** Operations as the Pulumi CLI names them (pkg/resource/deploy/step.go). */
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

/** One step, told when it starts and again when it ends; what is unchanged has no step. */
export interface StepEvent {
  kind: "step";
  /** Counts the steps of one operation from 1; the same number when it starts and ends. */
  step: number;
  type: string;
  name: string;
  urn: string;
  op: Operation;
  status: "started" | "succeeded" | "failed";
  /** ISO 8601, as `endedAt`. */
  startedAt: string;
  endedAt?: string;
  /** The whole error text of a failed step, secrets blotted out. */
  error?: string;
  /** Paths of the properties that changed. */
  diffs?: string[];
  /** Paths of those that make this a replacement. */
  replaces?: string[];
  /** The step only takes the resource out of the state: it goes on living (`retainOnDelete`). */
  retained?: boolean;
  /** Of a refresh: what it found. */
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
  /** Resources by what was done to them, `same` included; replacements count once, as `replace`. */
  summary: Partial<Record<Operation, number>>;
  /** Outputs of the stack as they are now; secrets read `[secret]`, what a preview does not know yet `[unknown]`. */
  outputs: Record<string, Json>;
  durationMs: number;
}

export interface EngineResult extends Summary {
  /** Messages of everything that failed, in order. */
  errors: string[];
  /** The person asked to stop (`signal`) before the end. */
  canceled: boolean;
}

export interface EngineOptions {
  /** Directory of the program: the one that holds Pulumi.yaml. */
  directory: string;
  project: string;
  stack: string;
  /** By fully qualified key, `project:key`; objects as JSON. */
  config: Record<string, string>;
  /** Keys of `config` whose values are secret, fully qualified. */
  secretKeys?: string[];
  stateDir: string;
  /** By package: `aws`, `kubernetes`, `command`. The package `pulumi` is the engine's own. */
  providers: Record<string, Provider>;
  onEvent?(event: EngineEvent): void;
  /** First request to stop: start nothing new, finish what runs. */
  signal?: AbortSignal;
  /** Second request: do not wait for what runs; it stays in the state as a pending operation. */
  hardSignal?: AbortSignal;
}
