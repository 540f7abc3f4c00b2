import type { CallContext } from "../service";
import { withFieldsOfOthers } from "./apply-merge";
import { withDefaults } from "./defaults";
import { jsonPatch, type PatchOperation } from "./json-patch";
import { type FieldManager, managedFields } from "./managed-fields";
import { isClusterScoped, type KubernetesObject, type ObjectReference, referenceTo } from "./object";
import type { Pod } from "./pod-types";
import { deletePod } from "./pods-of";
import { REVISION } from "./revision";
import { assignServicePorts, CLUSTER_PORTS_ANNOTATION } from "./service-ports";
import { timestamp, type WritableStore } from "./store";
import { ApiError, equal, resourceName, validate } from "./validation";

/** The kinds whose deletion waits until the objects that they own are deleted. */
const FOREGROUND = ["apps/v1/Deployment", "batch/v1/Job"];

/** `create` rejects an object that exists, `update` one that doesn't exist; `upsert` accepts both. */
export type ApplyMode = "create" | "update" | "upsert";

/** The field manager of changes that don't name one. */
const KUBECTL: FieldManager = { manager: "kubectl", operation: "Update" };

/** Changes objects as the Kubernetes API does: adds defaults, rejects invalid objects, keeps the server's fields. */
export class ApiServer {
  constructor(private readonly store: WritableStore) {}

  /**
   * Creates or updates an object. If an object of that name is still being deleted, it first waits up to 600 s.
   * @throws ApiError when the API would reject the object
   */
  async apply(
    given: KubernetesObject,
    mode: ApplyMode,
    by: FieldManager = KUBECTL,
    context?: CallContext,
  ): Promise<KubernetesObject> {
    const reference = referenceTo(given);
    if (this.store.get(reference)?.metadata.deletionTimestamp) {
      await this.until(() => !this.store.get(reference)?.metadata.deletionTimestamp, 600, context);
    }
    const previous = this.store.get(reference);
    if (previous?.metadata.deletionTimestamp) {
      throw new ApiError(
        `object is being deleted: ${resourceName(given)} "${reference.name}" already exists`,
        "AlreadyExists",
      );
    }
    if (previous && mode === "create")
      throw new ApiError(`${resourceName(given)} "${reference.name}" already exists`, "AlreadyExists");
    if (!previous && mode === "update") throw notFound(given);

    const object = this.normalize(
      previous && by.operation === "Apply" ? withFieldsOfOthers(given, previous, by.manager) : given,
    );
    const merged = this.merge(object, previous);
    merged.metadata["managedFields"] = managedFields(by, given, merged, previous);
    validate(this.store, merged, previous);
    const isService = object.apiVersion === "v1" && object.kind === "Service";
    const complete = isService ? await assignServicePorts(merged, previous) : merged;
    if (previous && equal(previous, complete)) return previous;
    const specChanged = previous && !equal(previous["spec"], complete["spec"]);
    const generation = (previous?.metadata.generation ?? 0) + (specChanged || !previous ? 1 : 0);
    return this.store.set({ ...complete, metadata: { ...complete.metadata, generation } });
  }

  /** Scales as an autoscaler (`manager` is "kube-controller-manager") or `kubectl scale` does. */
  scale(reference: ObjectReference, replicas: number, manager = "kubectl"): KubernetesObject {
    const object = this.store.get(reference);
    if (!object) throw new ApiError(`${reference.kind} "${reference.name}" not found`, "NotFound");
    const generation = (object.metadata.generation ?? 1) + 1;
    const scaled = { ...object, spec: { ...object["spec"], replicas } };
    const by: FieldManager = { manager, operation: "Update", subresource: "scale" };
    const fields = managedFields(by, { ...object, metadata: { name: "" }, spec: { replicas } }, scaled, object);
    return this.store.set({ ...scaled, metadata: { ...object.metadata, generation, managedFields: fields } });
  }

  /**
   * Changes an object by a JSON patch, as `kubectl patch --type=json` does. It is meant for the record of who set which
   * field; a change of the specification would have no author.
   *
   * @throws ApiError when the object is missing, or when a test of the patch fails
   */
  patch(reference: ObjectReference, operations: readonly PatchOperation[]): KubernetesObject {
    const object = this.store.get(reference);
    if (!object) throw new ApiError(`${reference.kind} "${reference.name}" not found`, "NotFound");
    return this.store.set(jsonPatch(object, operations));
  }

  /** Deletes in the foreground: returns when the object and everything that it ran are gone. @throws on a timeout */
  async delete(reference: ObjectReference, timeoutSeconds: number, context?: CallContext): Promise<void> {
    const object = this.store.get(reference);
    if (!object) return;
    const { uid } = object.metadata;
    this.markDeleted(object);
    const gone = await this.until(() => this.store.get(reference)?.metadata.uid !== uid, timeoutSeconds, context);
    if (!gone) throw new Error(`'${reference.name}' timed out waiting to be deleted; it is still being deleted`);
  }

  private markDeleted(object: KubernetesObject): void {
    const kind = `${object.apiVersion}/${object.kind}`;
    if (kind === "v1/Pod") deletePod(this.store, object as unknown as Pod);
    else if (kind === "v1/Namespace") this.emptyNamespace(object);
    else if (!FOREGROUND.includes(kind)) this.store.remove(referenceTo(object));
    else if (!object.metadata.deletionTimestamp) {
      const metadata = { ...object.metadata, deletionTimestamp: timestamp(), finalizers: ["foregroundDeletion"] };
      this.store.set({ ...object, metadata });
    }
  }

  private emptyNamespace(namespace: KubernetesObject): void {
    const { name } = namespace.metadata;
    const content = () =>
      [...this.store.listAll(), ...this.store.list("", "Secret")].filter(
        (object) => !isClusterScoped(object.kind) && referenceTo(object).namespace === name,
      );
    // Pods and ReplicaSets are deleted with their owners.
    for (const object of content()) if (!object.metadata.ownerReferences?.length) this.markDeleted(object);
    if (!namespace.metadata.deletionTimestamp) {
      this.store.set({ ...namespace, metadata: { ...namespace.metadata, deletionTimestamp: timestamp() } });
    }
    void this.until(() => content().length === 0, 3_600).then((empty) => {
      if (empty) this.store.remove(referenceTo(namespace));
    });
  }

  private normalize(given: KubernetesObject): KubernetesObject {
    const namespace = isClusterScoped(given.kind) ? {} : { namespace: given.metadata.namespace ?? "default" };
    const { status: _, ...rest } = given;
    return withDefaults({ ...rest, metadata: { ...given.metadata, ...namespace } } as KubernetesObject);
  }

  /** Combines a manifest with the fields of the existing object that the server and its controllers set. */
  private merge(object: KubernetesObject, previous: KubernetesObject | undefined): KubernetesObject {
    const {
      uid = crypto.randomUUID(),
      creationTimestamp = timestamp(),
      resourceVersion,
      generation,
    } = previous?.metadata ?? {};
    const own = Object.entries(previous?.metadata.annotations ?? {}).filter(([key]) =>
      SERVER_ANNOTATIONS.includes(key),
    );
    const annotations = { ...object.metadata.annotations, ...Object.fromEntries(own) };
    const merged: KubernetesObject = {
      ...object,
      metadata: {
        ...object.metadata,
        ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        uid,
        creationTimestamp,
        ...(resourceVersion ? { resourceVersion } : {}),
        ...(generation ? { generation } : {}),
      },
      ...(previous?.["status"] ? { status: previous["status"] } : {}),
    };
    if (object.kind === "Service" && previous?.["spec"].clusterIP && !merged["spec"].clusterIP) {
      const { clusterIP, clusterIPs } = previous["spec"];
      merged["spec"] = { ...merged["spec"], clusterIP, clusterIPs };
    }
    return object.kind === "Job" && object.apiVersion === "batch/v1" ? withJobLabels(merged, uid) : merged;
  }

  private async until(condition: () => boolean, timeoutSeconds: number, context?: CallContext): Promise<boolean> {
    return until(this.store, condition, timeoutSeconds, context);
  }
}

const SERVER_ANNOTATIONS = [REVISION, CLUSTER_PORTS_ANNOTATION];

/** Waits until the store satisfies a condition; false after the timeout or when the caller is gone. */
export function until(
  store: WritableStore,
  condition: () => boolean,
  timeoutSeconds: number,
  context?: CallContext,
): Promise<boolean> {
  return new Promise((answer) => {
    const finish = (result: boolean) => {
      clearTimeout(timer);
      store.off("change", check);
      context?.signal.removeEventListener("abort", abort);
      answer(result);
    };
    const check = () => condition() && finish(true);
    const abort = () => finish(false);
    const timer = setTimeout(() => finish(condition()), Math.min(timeoutSeconds * 1000, 2 ** 31 - 1));
    store.on("change", check);
    context?.signal.addEventListener("abort", abort, { once: true });
    if (context?.signal.aborted) abort();
    else check();
  });
}

function notFound(object: { apiVersion: string; kind: string; metadata: { name: string } }): ApiError {
  return new ApiError(`${resourceName(object)} "${object.metadata.name}" not found`, "NotFound");
}

/** Adds the labels by which the Job controller finds its pods; the server puts them into the template. */
function withJobLabels(job: KubernetesObject, uid: string): KubernetesObject {
  const labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": job.metadata.name,
    "controller-uid": uid,
    "job-name": job.metadata.name,
  };
  const { template } = job["spec"];
  const metadata = { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } };
  const selector = { matchLabels: { "batch.kubernetes.io/controller-uid": uid } };
  return { ...job, spec: { ...job["spec"], selector, template: { ...template, metadata } } };
}
