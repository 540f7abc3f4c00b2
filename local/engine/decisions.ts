import type { ResourceState } from "./state";

/** Answers the program's registration with the resource's state after its step. */
export type Reply = (state: ResourceState) => void;

/** The registration is not possible. An empty message means that the cause has been reported already. */
export class RegistrationError extends Error {
  constructor(
    message: string,
    readonly urn?: string,
  ) {
    super(message);
  }
}

/** A run's decisions so far about the resources of the program and of the state. */
export class Decisions {
  /** The sets below contain the URNs for which the named operation was chosen; `seen` contains all of them. */
  readonly seen = new Set<string>();
  readonly creates = new Set<string>();
  readonly reads = new Set<string>();
  readonly updates = new Set<string>();
  readonly replaces = new Set<string>();
  readonly sames = new Set<string>();
  readonly deletes = new Set<string>();
  /** Resources of the state whose deletion is under way. The key is the object, since a URN may occur twice. */
  readonly condemned = new Set<ResourceState>();
  readonly aliased = new Map<string, string>();

  /** Whether the run has decided to keep, update, replace or read the resource of this URN. */
  decided(urn: string): boolean {
    const name = this.aliased.get(urn) ?? urn;
    return [this.sames, this.updates, this.replaces, this.reads].some((set) => set.has(name));
  }

  /** Returns a check, made when the deletion is due, whether the resource's `deletedWith` resource is deleted too. */
  takenAlong(old: ResourceState): () => boolean {
    return () => old.deletedWith !== undefined && this.deletes.has(old.deletedWith);
  }
}
