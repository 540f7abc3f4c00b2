import { existsSync, linkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readText, writeAtomically } from "../../text/atomic";
import type { Json, Properties } from "../cloud/provider";
import { openKey, type StackKey } from "./secrets";
import { isObject, isSecret, mapProperties, mapSecrets, SECRET, SIGNATURE, secret } from "./values";

/** A resource in the format of Pulumi's checkpoint (sdk/go/common/apitype/core.go, `ResourceV3`). */
export interface ResourceState {
  urn: string;
  custom: boolean;
  /** The resource was replaced by another of the same URN and is still to be deleted. */
  delete?: boolean | undefined;
  id?: string | undefined;
  /** The id under which the resource was imported (`import`). */
  importID?: string | undefined;
  type: string;
  inputs?: Properties | undefined;
  outputs?: Properties | undefined;
  parent?: string | undefined;
  protect?: boolean | undefined;
  /** The resource was only read and does not belong to the stack, so it is never deleted. */
  external?: boolean | undefined;
  dependencies?: string[] | undefined;
  /** The reasons why the resource, although it exists, is not healthy. */
  initErrors?: string[] | undefined;
  /** The reference of the resource's provider, `URN::ID`. */
  provider?: string | undefined;
  propertyDependencies?: Record<string, string[]> | undefined;
  /** The resource is deleted already, and its replacement is not created yet. */
  pendingReplacement?: boolean | undefined;
  additionalSecretOutputs?: string[] | undefined;
  aliases?: string[] | undefined;
  /** The timeouts in seconds. */
  customTimeouts?: Timeouts | undefined;
  retainOnDelete?: boolean | undefined;
  deletedWith?: string | undefined;
  created?: string | undefined;
  modified?: string | undefined;
  ignoreChanges?: string[] | undefined;
  replaceOnChanges?: string[] | undefined;
  /** The names of the program's hooks, by kind. */
  resourceHooks?: { OnError: string[] } | undefined;
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

/** The directory of a stack's state. The local cloud's files are in `cloud/` below it. */
export function stackDirectory(stateDir: string, project: string, stack: string): string {
  for (const [what, name] of Object.entries({ project, stack })) {
    if (!/^[A-Za-z0-9_.-]+$/.test(name) || /^\.+$/.test(name)) {
      throw new Error(`"${name}" is no name for a ${what}: letters, digits, ".", "_" and "-" are allowed.`);
    }
  }
  return join(stateDir, project, stack);
}

/** The state file exists, but it is damaged or was written by another program. Nothing was changed. */
class StateError extends Error {
  override readonly name = "StateError";

  constructor(directory: string, why: string) {
    const [file, backup] = [stateFile(directory), backupFile(directory)];
    super(
      `${file} can't be used: ${why}.\n` +
        "Nothing was changed: database and app are as they were; `status`, `logs` and `down` work without the state.\n" +
        (existsSync(backup)
          ? `To go on from the state before the last command: cp '${backup}' '${file}', then \`refresh\`.`
          : `Put a copy of the file back. Without one: mv '${file}' '${file}.damaged', then \`up\`.`),
    );
  }
}

/** The parts of the state that the engine relies on when it reads the rest; other parts are not checked. */
const properties = z.record(z.string(), z.json()).nullish();
const known = z.looseObject({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean(),
  inputs: properties,
  outputs: properties,
});
const Deployed = z.object({
  resources: z.array(known).nullish(),
  pending_operations: z.array(z.object({ resource: known, type: z.string() })).nullish(),
});

interface Checkpoint {
  version: number;
  deployment: { resources?: ResourceState[] | null; pending_operations?: PendingOperation[] | null };
}

const stateFile = (directory: string) => join(directory, "state.json");
const backupFile = (directory: string) => join(directory, "state.json.bak");

/** Keeps a copy of the current state as `state.json.bak`, in case the state is damaged later. A state must exist. */
export function backUpState(directory: string): void {
  rmSync(backupFile(directory), { force: true });
  // Each save creates a new file, so the hard link keeps pointing to the old one.
  linkSync(stateFile(directory), backupFile(directory));
}

/**
 * Reads the state; undefined if the stack was never deployed. Secrets in the result are decrypted, so it must not be
 * shown without redaction.
 * @throws StateError when the file can't be read or is damaged
 */
export function loadState(directory: string): StackState | undefined {
  try {
    const text = readText(stateFile(directory));
    return text === undefined ? undefined : parseState(directory, text);
  } catch (error) {
    throw new StateError(directory, (error as Error).message);
  }
}

function parseState(directory: string, text: string): StackState {
  const found = JSON.parse(text) as Checkpoint | null;
  if (found?.version !== 3) throw new Error(`its version is ${found?.version}, and this engine reads version 3`);
  const wrong = Deployed.safeParse(found.deployment).error?.issues[0];
  if (wrong) throw new Error(`deployment.${wrong.path.join(".")}: ${wrong.message}`);
  const { deployment } = found;
  let key: StackKey | undefined;
  const reveal = (value: Json): Json => {
    if (isObject(value) && value[SIGNATURE] === SECRET && typeof value["ciphertext"] === "string") {
      key ??= openKey(directory, "existing");
      return secret(JSON.parse(key.decrypt(value["ciphertext"])));
    }
    if (Array.isArray(value)) return value.map(reveal);
    return isObject(value) ? mapProperties(value, reveal) : value;
  };
  return {
    resources: (deployment.resources ?? []).map((each) => convert(each, reveal)),
    pendingOperations: (deployment.pending_operations ?? []).map(({ resource, type }) => ({
      resource: convert(resource, reveal),
      type,
    })),
  };
}

/** Writes the whole state. After a crash the disk contains either the old state or the new one, never a mixture. */
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
  writeAtomically(stateFile(directory), `${JSON.stringify(checkpoint, undefined, 1)}\n`, 0o600);
}

/** Passes the content of each secret of a resource to `learn`, for redaction. */
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
