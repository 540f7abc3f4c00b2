import { rmSync } from "node:fs";
import { join } from "node:path";
import { raiseDefect } from "../defect";
import type { CallContext, Method, Service } from "../service";
import { ApiServer, type ApplyMode, until } from "./api-server";
import { readyCheck } from "./await";
import { killLeftovers } from "./container-process";
import { ControlLoop } from "./control-loop";
import { reconcileDeployment } from "./deployment";
import { reconcileJob } from "./job";
import type { PatchOperation } from "./json-patch";
import { Kubelet } from "./kubelet";
import type { FieldManager } from "./managed-fields";
import type { KubernetesObject, ObjectReference } from "./object";
import { ServiceProxies } from "./service-ports";
import { kubernetesDirectory, WritableStore } from "./store";
import { REAL_TIMING, type Timing } from "./timing";

/** The result of waiting for an object. */
export interface AwaitResult {
  object?: KubernetesObject;
  outcome: "ready" | "failed" | "timed-out" | "cancelled" | "deleted";
  reasons: string[];
}

/** The methods of Kubernetes that a command may call. */
export interface KubernetesMethods {
  /** @param by the field manager of the change; default: kubectl */
  apply: Method<{ object: KubernetesObject; mode?: ApplyMode; by?: FieldManager }, KubernetesObject>;
  /** Returns when the object and everything that it ran are gone; `timeoutSeconds` is 600 by default. */
  delete: Method<{ reference: ObjectReference; timeoutSeconds?: number }, void>;
  scale: Method<{ reference: ObjectReference; replicas: number; manager?: string }, KubernetesObject>;
  /** Changes an object by a JSON patch. */
  patch: Method<{ reference: ObjectReference; operations: PatchOperation[] }, KubernetesObject>;
  get: Method<ObjectReference, KubernetesObject | undefined>;
  list: Method<{ group: string; kind: string; namespace?: string }, KubernetesObject[]>;
  awaitReady: Method<{ reference: ObjectReference; timeoutSeconds: number }, AwaitResult>;
}

/** A Kubernetes cluster with one node whose containers are processes of this machine. */
export function createKubernetesService(cloudDir: string, timing: Timing = REAL_TIMING): Service<KubernetesMethods> {
  const store = new WritableStore(cloudDir);
  const api = new ApiServer(store);
  const kubelet = new Kubelet(cloudDir, store, timing);
  const proxies = new ServiceProxies(store);
  const loop: ControlLoop = new ControlLoop(store, {
    Job: (job) => reconcileJob(store, loop, timing, job),
    Deployment: (deployment) => reconcileDeployment(store, loop, deployment),
  });
  const ready = kubelet.start().then(() => {
    proxies.start();
    loop.start();
  });
  ready.catch((error) => {
    console.error(error);
    raiseDefect(error);
  });

  const method =
    <Parameters, Result>(run: (parameters: Parameters, context?: CallContext) => Result | Promise<Result>) =>
    async (parameters: Parameters, context?: CallContext) => {
      await ready;
      return run(parameters, context);
    };

  return {
    methods: {
      apply: method(({ object, mode = "upsert", by }, context) => api.apply(object, mode, by, context)),
      delete: method(({ reference, timeoutSeconds = 600 }, context) => api.delete(reference, timeoutSeconds, context)),
      scale: method(({ reference, replicas, manager }) => api.scale(reference, replicas, manager)),
      patch: method(({ reference, operations }) => api.patch(reference, operations)),
      get: method((reference) => store.get(reference)),
      list: method(({ group, kind, namespace }) => store.list(group, kind, namespace)),
      awaitReady: method((parameters, context) => awaitReady(store, parameters, context)),
    },
    async stop() {
      loop.stop();
      await ready.catch(() => undefined);
      await Promise.all([kubelet.stop(), proxies.stop()]);
      store.closed = true;
    },
  };
}

/** Kills the processes that an ended background process left running. */
export async function stopKubernetes(cloudDir: string): Promise<void> {
  const root = kubernetesDirectory(cloudDir);
  await killLeftovers(join(root, "pods"));
  rmSync(join(root, "secrets", "_mounted"), { recursive: true, force: true });
}

async function awaitReady(
  store: WritableStore,
  { reference, timeoutSeconds }: { reference: ObjectReference; timeoutSeconds: number },
  context?: CallContext,
): Promise<AwaitResult> {
  const first = store.get(reference);
  if (!first) return { outcome: "deleted", reasons: [] };
  const check = readyCheck(store, first);
  if (!check) return { outcome: "ready", object: first, reasons: [] };
  const observe = (object: KubernetesObject) => check.observe(object);
  store.prependListener("change", observe);
  try {
    const current = () => {
      const object = store.get(reference);
      return object?.metadata.uid === first.metadata.uid ? object : undefined;
    };
    const decided = () => {
      const object = current();
      return !object || check.verdict(object) !== "waiting";
    };
    const over = await until(store, decided, timeoutSeconds, context);
    const object = current();
    if (!object) return { outcome: "deleted", reasons: check.reasons(first) };
    if (over) {
      const outcome = check.verdict(object) === "ready" ? "ready" : "failed";
      return { outcome, object, reasons: outcome === "ready" ? [] : check.reasons(object) };
    }
    const outcome = context?.signal.aborted ? "cancelled" : "timed-out";
    return { outcome, object, reasons: check.reasons(object) };
  } finally {
    store.off("change", observe);
  }
}
