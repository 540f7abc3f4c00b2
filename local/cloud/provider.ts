/**
 * Pulumi's provider contract in plain TypeScript: the methods of `pulumirpc.ResourceProvider` without gRPC messages.
 *
 * Property values are plain JSON. Secrets are passed without their mark, and the engine marks them again. A value that
 * a preview does not know yet is the string {@link UNKNOWN}, at any depth.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Properties = Record<string, Json>;

/** The Pulumi protocol's text for an unknown value (sdk/go/common/resource/plugin/rpc.go, `UnknownStringValue`). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface CheckRequest {
  urn: string;
  /** The inputs of the last deployment; undefined for a first creation or a replacement. */
  olds?: Properties | undefined;
  news: Properties;
}

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface CheckResult {
  /** The inputs to store and to pass on, with defaults filled in. */
  inputs: Properties;
  failures: CheckFailure[];
}

export interface DiffRequest {
  urn: string;
  id: string;
  oldInputs: Properties;
  /** The outputs of the last deployment. */
  olds: Properties;
  news: Properties;
  ignoreChanges: string[];
}

export interface DiffResult {
  changes: "none" | "some";
  /** The paths of the changed properties, such as `spec.template.spec.containers[0].image`. */
  diffs: string[];
  /** The paths of the changed properties that require a replacement. */
  replaces: string[];
  deleteBeforeReplace: boolean;
}

export interface CreateRequest {
  urn: string;
  inputs: Properties;
  /** The timeout in seconds from `customTimeouts`; 0 selects the provider's own default. */
  timeout: number;
  /** Whether this is a preview: nothing may be changed, and only the known outputs are returned. */
  preview: boolean;
  /** Fires when the user asks to stop (first SIGINT): the provider stops waiting and reports the current state. */
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
  /** The paths of the properties that the program leaves alone; default: none. */
  ignoreChanges?: string[];
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

/** A provider. A failed step throws; a resource that exists but did not become ready throws {@link InitError}. */
export interface Provider {
  /**
   * Returns the provider with these settings, which are the inputs of its resource; lists and objects are JSON. A
   * provider without this method has no settings.
   * @throws Error when the settings don't allow any call
   */
  configure?(settings: Properties): Provider;
  check(request: CheckRequest): Promise<CheckResult>;
  diff(request: DiffRequest): Promise<DiffResult>;
  create(request: CreateRequest): Promise<CreateResult>;
  update(request: UpdateRequest): Promise<Properties>;
  /** Returns undefined if the resource no longer exists. */
  read(request: ReadRequest): Promise<ReadResult | undefined>;
  delete(request: DeleteRequest): Promise<void>;
  invoke(request: InvokeRequest): Promise<Properties>;
}

/** The resource was created or changed but is not healthy. The state keeps it with its new inputs and the reasons. */
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

/** Checks the name too, because the class may be loaded twice or the error may come from another process. */
export function isInitError(error: unknown): error is InitError {
  return error instanceof InitError || (error instanceof Error && error.name === "InitError");
}
