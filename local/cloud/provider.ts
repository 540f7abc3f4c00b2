/**
 * Pulumi's provider contract in plain TypeScript: what `pulumirpc.ResourceProvider` asks of a plugin, without the wire.
 *
 * Property values are plain JSON. Secrets arrive unwrapped (the engine remembers which they were); a value that a
 * preview does not know yet is the string {@link UNKNOWN}, at any depth.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Properties = Record<string, Json>;

/** How the Pulumi protocol writes an unknown value (sdk/go/common/resource/plugin/rpc.go, `UnknownStringValue`). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface CheckRequest {
  urn: string;
  /** Inputs of the last deployment; undefined on a first create or a replacement. */
  olds?: Properties | undefined;
  news: Properties;
}

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface CheckResult {
  /** The inputs to store and to pass on, defaults filled in. */
  inputs: Properties;
  failures: CheckFailure[];
}

export interface DiffRequest {
  urn: string;
  id: string;
  oldInputs: Properties;
  /** Outputs of the last deployment. */
  olds: Properties;
  news: Properties;
  ignoreChanges: string[];
}

export interface DiffResult {
  changes: "none" | "some";
  /** Paths of the properties that changed, `spec.template.spec.containers[0].image`. */
  diffs: string[];
  /** Paths of those that can only change by replacement. */
  replaces: string[];
  deleteBeforeReplace: boolean;
}

export interface CreateRequest {
  urn: string;
  inputs: Properties;
  /** Seconds from `customTimeouts`; 0 = the provider's own default. */
  timeout: number;
  /** Nothing may be touched; return the outputs as far as they are known. */
  preview: boolean;
  /** Fires when the person asks to stop (first SIGINT): stop waiting and report what is there. */
  signal?: AbortSignal | undefined;
}

export interface CreateResult {
  id: string;
  outputs: Properties;
}

export interface UpdateRequest extends CreateRequest {
  id: string;
  oldInputs: Properties;
  olds: Properties;
}

export interface ReadRequest {
  urn: string;
  id: string;
  inputs: Properties;
  olds: Properties;
}

export interface ReadResult {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

export interface DeleteRequest {
  urn: string;
  id: string;
  inputs: Properties;
  olds: Properties;
  timeout: number;
  signal?: AbortSignal | undefined;
}

export interface InvokeRequest {
  token: string;
  args: Properties;
  preview: boolean;
}

/** A failed step throws; a resource that exists but did not become ready throws {@link InitError}. */
export interface Provider {
  check(request: CheckRequest): Promise<CheckResult>;
  diff(request: DiffRequest): Promise<DiffResult>;
  create(request: CreateRequest): Promise<CreateResult>;
  update(request: UpdateRequest): Promise<Properties>;
  /** Undefined: the resource is gone. */
  read(request: ReadRequest): Promise<ReadResult | undefined>;
  delete(request: DeleteRequest): Promise<void>;
  invoke(request: InvokeRequest): Promise<Properties>;
}

/** The resource was made or changed, but is not healthy: it stays in the state with its new inputs and these reasons. */
export class InitError extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Properties,
    readonly reasons: string[],
  ) {
    super(reasons.join("\n"));
    this.name = "InitError";
  }
}

/** By name, too: the class may have been loaded twice, or the error may have crossed a process. */
export function isInitError(error: unknown): error is InitError {
  return error instanceof InitError || (error instanceof Error && error.name === "InitError");
}
