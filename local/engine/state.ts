import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Json, Properties } from "../cloud/provider";
import { readText, writeAtomically } from "./files";
import { openKey, type StackKey } from "./secrets";
import { isObject, isSecret, mapProperties, mapSecrets, SECRET, SIGNATURE, secret } from "./values";

/** A resource as Pulumi's checkpoint writes it (sdk/go/common/apitype/core.go, `ResourceV3`). */
export interface ResourceState {
  urn: string;
  custom: boolean;
  /** Replaced by another of the same name, still to be deleted. */
  delete?: boolean;
  id?: string;
  /** Id under which it was taken over (`import`). */
  importID?: string;
  type: string;
  inputs?: Properties;
  outputs?: Properties;
  parent?: string;
  protect?: boolean;
  /** Read, not owned: never deleted. */
  external?: boolean;
  dependencies?: string[];
  /** Why it is not healthy although it exists. */
  initErrors?: string[];
  /** Reference `URN::ID` of its provider. */
  provider?: string;
  propertyDependencies?: Record<string, string[]>;
  /** Deleted already, its replacement not created yet. */
  pendingReplacement?: boolean;
  additionalSecretOutputs?: string[];
  aliases?: string[];
  /** Seconds. */
  customTimeouts?: Timeouts;
  retainOnDelete?: boolean;
  deletedWith?: string;
  created?: string;
  modified?: string;
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
}

export interface Timeouts {
  create?: number;
  update?: number;
  delete?: number;
}

export interface PendingOperation {
  resource: ResourceState;
  type: "creating" | "updating" | "deleting" | "reading" | "importing";
}

export interface StackState {
  resources: ResourceState[];
  pendingOperations: PendingOperation[];
}

/** Where a stack keeps its state; its cloud lives in `cloud/` below. */
export function stackDirectory(stateDir: string, project: string, stack: string): string {
  for (const [what, name] of Object.entries({ project, stack })) {
    if (!/^[A-Za-z0-9_.-]+$/.test(name) || /^\.+$/.test(name)) {
      throw new Error(`"${name}" is no name for a ${what}: letters, digits, ".", "_" and "-" are allowed.`);
    }
  }
  return join(stateDir, project, stack);
}

/** Undefined: the stack was never deployed. Secrets are readable in what is returned, so it must not be shown as it is. */
export function loadState(directory: string): StackState | undefined {
  const file = join(directory, "state.json");
  const text = readText(file);
  if (text === undefined) return undefined;
  let checkpoint: { version?: number; deployment?: { resources?: ResourceState[]; pending_operations?: unknown } };
  try {
    checkpoint = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not readable as JSON: ${(error as Error).message}`);
  }
  if (checkpoint.version !== 3)
    throw new Error(`${file} has version ${checkpoint.version}; this engine reads version 3`);
  let key: StackKey | undefined;
  const reveal = (value: Json): Json => {
    if (isObject(value) && value[SIGNATURE] === SECRET && typeof value.ciphertext === "string") {
      key ??= openKey(directory, "existing");
      return secret(JSON.parse(key.decrypt(value.ciphertext)));
    }
    if (Array.isArray(value)) return value.map(reveal);
    return isObject(value) ? mapProperties(value, reveal) : value;
  };
  const pending = (checkpoint.deployment?.pending_operations ?? []) as PendingOperation[];
  return {
    resources: (checkpoint.deployment?.resources ?? []).map((resource) => convert(resource, reveal)),
    pendingOperations: pending.map(({ resource, type }) => ({ resource: convert(resource, reveal), type })),
  };
}

/** Writes the whole state; afterwards the disk has either the old one or this one, never a mixture. */
export function saveState(directory: string, state: StackState): void {
  let key: StackKey | undefined;
  const conceal = (value: Json): Json =>
    mapSecrets(value, (content) => {
      key ??= openKey(directory, "create");
      return { [SIGNATURE]: SECRET, ciphertext: key.encrypt(JSON.stringify(content)) };
    });
  const checkpoint = {
    version: 3,
    deployment: {
      manifest: { time: new Date().toISOString(), magic: "", version: "" },
      secrets_providers: { type: "key-file", state: { file: "state.key" } },
      resources: state.resources.map((resource) => convert(resource, conceal)),
      pending_operations: state.pendingOperations.map(({ resource, type }) => ({
        resource: convert(resource, conceal),
        type,
      })),
      metadata: {},
    },
  };
  writeAtomically(join(directory, "state.json"), `${JSON.stringify(checkpoint, undefined, 1)}\n`, 0o600);
}

export function hasState(directory: string): boolean {
  return existsSync(join(directory, "state.json"));
}

/** Strings in every secret of a state, for redaction. */
export function secretsOf(resource: ResourceState, learn: (content: Json) => void): void {
  const visit = (value: Json): void => {
    if (isSecret(value)) learn(value.value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) Object.values(value).forEach(visit);
  };
  visit(resource.inputs ?? {});
  visit(resource.outputs ?? {});
}

function convert(resource: ResourceState, change: (value: Json) => Json): ResourceState {
  const copy: ResourceState = { ...resource };
  if (copy.inputs) copy.inputs = mapProperties(copy.inputs, change);
  if (copy.outputs) copy.outputs = mapProperties(copy.outputs, change);
  return copy;
}
