import type { Service } from "../service";
import type { KubernetesObject, ObjectReference } from "./object";
import { WritableStore } from "./store";

export function createKubernetesService(cloudDir: string): Service {
  const store = new WritableStore(cloudDir);
  return {
    methods: {
      apply: async (object: KubernetesObject) => store.set(object),
      get: async (reference: ObjectReference) => store.get(reference),
      list: async ({ group, kind, namespace }: { group: string; kind: string; namespace?: string }) =>
        store.list(group, kind, namespace),
    },
    async stop() {
      store.closed = true;
    },
  };
}

/** Ends what a dead background process left running. */
export async function stopKubernetes(_cloudDir: string): Promise<void> {}
