import type { StackLock } from "./lock";
import { type PendingOperation, type ResourceState, type StackState, saveState } from "./state";
import { sameValue } from "./values";

/**
 * The state of a stack during a run. Resources that the program has registered come first, then those it has not
 * registered yet, so that dependencies always come before their dependents (pkg/backend/snapshot.go).
 */
export class Snapshot {
  /** The resources of the state before the run; the plan marks some of them as replaced or deleted. */
  base: ResourceState[];
  private readonly confirmed: ResourceState[] = [];
  private readonly done = new Set<ResourceState>();
  private readonly pending = new Set<PendingOperation>();
  private readonly renamed = new Map<string, string>();

  constructor(
    private readonly directory: string,
    before: StackState | undefined,
    /** The stack's lock; undefined for a preview, which writes nothing. */
    private readonly lock: StackLock | undefined,
  ) {
    this.base = before?.resources ?? [];
  }

  /** Records an operation in the state before it starts, so that the next command sees it if this one is killed. */
  begin(operation: PendingOperation): PendingOperation {
    this.pending.add(operation);
    this.save();
    return operation;
  }

  end(operation: PendingOperation): void {
    this.pending.delete(operation);
  }

  confirm(resource: ResourceState): void {
    this.confirmed.push(resource);
  }

  remove(resource: ResourceState): void {
    this.done.add(resource);
  }

  /** Gives a resource a new URN; references to it are changed when the state is saved. */
  rename(from: string, to: string): void {
    this.renamed.set(from, to);
  }

  current(): ResourceState[] {
    return [...this.confirmed, ...this.base].filter((resource) => !this.done.has(resource));
  }

  save(): void {
    if (!this.lock) return;
    this.lock.assertHeld();
    saveState(this.directory, {
      resources: this.current().map((resource) => this.follow(resource)),
      pendingOperations: [...this.pending],
    });
  }

  private follow(resource: ResourceState): ResourceState {
    if (this.renamed.size === 0) return resource;
    const name = (urn: string): string => this.renamed.get(urn) ?? urn;
    const reference = (text: string): string => {
      const cut = text.lastIndexOf("::");
      return name(text.slice(0, cut)) + text.slice(cut);
    };
    const copy = { ...resource };
    if (copy.parent) copy.parent = name(copy.parent);
    if (copy.deletedWith) copy.deletedWith = name(copy.deletedWith);
    if (copy.provider) copy.provider = reference(copy.provider);
    if (copy.dependencies) copy.dependencies = copy.dependencies.map(name);
    if (copy.propertyDependencies) {
      copy.propertyDependencies = Object.fromEntries(
        Object.entries(copy.propertyDependencies).map(([key, urns]) => [key, urns.map(name)]),
      );
    }
    return copy;
  }
}

/** Whether an unchanged resource still has to be written because one of its options or dependencies changed. */
export function worthSaving(before: ResourceState, after: ResourceState): boolean {
  const { created, modified, ...rest } = normal(before);
  const { created: _created, modified: _modified, ...restAfter } = normal(after);
  return !sameValue(rest, restAfter);
}

function normal(resource: ResourceState): ResourceState {
  const entries = Object.entries({ ...resource, dependencies: [...(resource.dependencies ?? [])].sort() });
  const kept = entries.filter(([, value]) => value !== undefined && value !== false && !isEmpty(value));
  return Object.fromEntries(kept) as unknown as ResourceState;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
