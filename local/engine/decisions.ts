import type { ResourceState } from "./state";

/** Tells the program that its registration is done, and what the resource is now. */
export type Reply = (state: ResourceState) => void;

/** The registration is not possible; what is wrong has been told already or is in the message. */
export class RegistrationError extends Error {
  constructor(
    message: string,
    readonly urn?: string,
  ) {
    super(message);
  }
}

/** What a run has decided so far about the resources of the program and of the state. */
export class Decisions {
  /** URNs by what was decided about them. */
  readonly seen = new Set<string>();
  readonly creates = new Set<string>();
  readonly reads = new Set<string>();
  readonly updates = new Set<string>();
  readonly replaces = new Set<string>();
  readonly sames = new Set<string>();
  readonly deletes = new Set<string>();
  /** Resources of the state whose deletion is under way, by identity: a URN may occur twice. */
  readonly condemned = new Set<ResourceState>();
  readonly aliased = new Map<string, string>();

  /** Nothing in the state is left to decide about it. */
  decided(urn: string): boolean {
    const name = this.aliased.get(urn) ?? urn;
    return [this.sames, this.updates, this.replaces, this.reads].some((set) => set.has(name));
  }

  /** Whether the resource goes with another one that is deleted (`deletedWith`); asked when its own deletion is due. */
  takenAlong(old: ResourceState): () => boolean {
    return () => old.deletedWith !== undefined && this.deletes.has(old.deletedWith);
  }
}
