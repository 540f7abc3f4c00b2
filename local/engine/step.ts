import { randomUUID } from "node:crypto";
import { type InitError, isInitError, type Properties, UNKNOWN } from "../cloud/provider";
import type { Reply } from "./decisions";
import type { Deployment } from "./deployment";
import type { Operation } from "./events";
import { importResource } from "./import";
import { withErrorHooks } from "./retries";
import type { ResourceState } from "./state";
import { isProviderType } from "./urn";
import { markSecrets, plainProperties, sameValue, secret } from "./values";

export interface Step {
  op: Operation;
  urn: string;
  /** The resource before the step; missing for a first creation. */
  old?: ResourceState | undefined;
  /** The resource after the step; missing for a deletion. */
  next?: ResourceState;
  diffs?: string[];
  replaces?: string[];
  /** Whether a create-replacement comes before the old resource's deletion; then it marks the old one for deletion. */
  deletesLater?: boolean;
  /** Whether a delete-replaced comes before the creation; then the old resource stays as pending replacement. */
  createsLater?: boolean;
  /** Returns true if another resource's deletion deletes this one too; then the provider is not called for it. */
  takenAlong?: () => boolean;
  reply?: Reply | undefined;
}

/**
 * Carries out a step with its provider and completes `step.next`.
 * @throws InitError when the step is done but the resource is not healthy
 */
export async function apply(step: Step, deployment: Deployment): Promise<void> {
  switch (step.op) {
    case "create":
    case "create-replacement":
      return create(step, deployment);
    case "update":
      return update(step, deployment);
    case "delete":
    case "delete-replaced":
    case "discard":
    case "discard-replaced":
      return remove(step, deployment);
    case "read":
      return read(step, deployment);
    case "import":
      return importResource(step.next, deployment);
    case "same":
      return keep(step);
    default:
      return;
  }
}

/** Whether the step calls the provider's delete. */
export function deletesForReal({ old, takenAlong }: Step): boolean {
  if (!old?.custom || old.external || old.retainOnDelete || isProviderType(old.type)) return false;
  return takenAlong?.() !== true;
}

function keep({ old, next }: Step): void {
  if (!old || !next) return;
  next.id = old.id;
  next.outputs = old.outputs;
  next.created = old.created;
  next.modified = old.modified;
}

async function create({ urn, old, next, deletesLater }: Step, deployment: Deployment): Promise<void> {
  if (!next) return;
  let failure: InitError | undefined;
  if (isProviderType(next.type)) {
    next.id = deployment.preview ? UNKNOWN : randomUUID();
    next.outputs = next.inputs;
  } else if (next.custom) {
    try {
      const { id, outputs } = await withErrorHooks({ urn, next }, "create", deployment, () =>
        deployment.provider(next.type, next.provider).create({
          urn,
          inputs: plainProperties(next.inputs),
          timeout: next.customTimeouts?.create ?? 0,
          preview: deployment.preview,
          signal: deployment.options.signal,
        }),
      );
      next.id = deployment.preview ? "" : id;
      next.outputs = withSecrets(outputs, next);
      if (!deployment.preview && id === "") throw new Error("the provider gave the new resource no id");
    } catch (error) {
      failure = partial(error, next);
    }
  } else {
    next.outputs = {};
  }
  next.created = next.modified = now();
  if (old && deletesLater) old.delete = true;
  if (failure) throw failure;
}

async function update({ urn, old, next }: Step, deployment: Deployment): Promise<void> {
  if (!old || !next) return;
  next.id = old.id;
  next.created = old.created;
  next.modified = old.modified;
  if (isProviderType(next.type)) {
    next.outputs = next.inputs;
    return;
  }
  if (!next.custom) {
    next.outputs = old.outputs;
    return;
  }
  try {
    const outputs = await withErrorHooks({ urn, old, next }, "update", deployment, () =>
      deployment.provider(next.type, next.provider).update({
        urn,
        id: old.id ?? "",
        oldInputs: plainProperties(old.inputs),
        olds: plainProperties(old.outputs),
        inputs: plainProperties(next.inputs),
        timeout: next.customTimeouts?.update ?? 0,
        preview: deployment.preview,
        signal: deployment.options.signal,
        ignoreChanges: next.ignoreChanges ?? [],
      }),
    );
    next.outputs = withSecrets(outputs, next);
    next.modified = now();
  } catch (error) {
    const failure = partial(error, next);
    next.modified = now();
    // The update failed, so the state keeps the old inputs and the next run sees the difference again
    // (pkg/engine/update.go, pulumi/pulumi#2011).
    next.inputs = old.inputs;
    throw failure;
  }
}

async function remove(step: Step, deployment: Deployment): Promise<void> {
  const { urn, old, op } = step;
  if (!old) return;
  if (op === "delete" && old.protect) {
    throw new ProtectedError(
      `resource "${urn}" cannot be deleted because it is protected. Remove \`protect\` from it in the program and ` +
        "run `up`; then it can be deleted.",
    );
  }
  if (!deployment.preview && deletesForReal(step)) {
    await withErrorHooks({ urn, old }, "delete", deployment, () =>
      deployment.provider(old.type, old.provider).delete({
        urn,
        id: old.id ?? "",
        inputs: plainProperties(old.inputs),
        olds: plainProperties(old.outputs),
        timeout: old.customTimeouts?.delete ?? 0,
        signal: deployment.options.signal,
      }),
    );
  }
  if (step.createsLater) old.pendingReplacement = true;
}

/** Reads a resource, in previews too unless its id is not known yet. */
async function read({ urn, old, next }: Step, deployment: Deployment): Promise<void> {
  if (!next) return;
  if (next.id === UNKNOWN) {
    next.outputs = {};
  } else {
    const inputs = plainProperties(next.inputs);
    const found = await deployment
      .provider(next.type, next.provider)
      .read({ urn, id: next.id ?? "", inputs, olds: inputs });
    if (!found) throw new Error(`resource '${next.id}' does not exist`);
    next.id = found.id;
    next.outputs = withSecrets(found.outputs, next);
  }
  next.created = old?.created;
  next.modified = old && sameValue(old.outputs, next.outputs) ? old.modified : now();
}

/** The step would delete a resource that is marked `protect`. */
export class ProtectedError extends Error {
  override readonly name = "ProtectedError";
}

/** Copies the id and outputs of an InitError into the resource's state. @throws any other error unchanged */
function partial(error: unknown, next: ResourceState): InitError {
  if (!isInitError(error)) throw error;
  next.id = error.id;
  next.outputs = withSecrets(error.outputs, next);
  next.initErrors = error.reasons;
  return error;
}

/** Marks outputs as secret if the input of the same name is secret or `additionalSecretOutputs` names them. */
export function withSecrets(outputs: Properties, next: ResourceState): Properties {
  const marked = markSecrets(outputs, next.inputs ?? {});
  for (const key of next.additionalSecretOutputs ?? []) {
    const value = marked[key];
    if (value !== undefined && key !== "id") marked[key] = secret(value);
  }
  return marked;
}

function now(): string {
  return new Date().toISOString();
}
