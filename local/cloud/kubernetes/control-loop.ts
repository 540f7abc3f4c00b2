import { raiseDefect } from "../defect";
import { type KubernetesObject, type ObjectReference, referenceTo } from "./object";
import type { WritableStore } from "./store";

/** Changes other objects until they match one object's manifest. Called again after every relevant change. */
export type Reconcile = (object: KubernetesObject) => void;

/** Calls controllers with the current objects, as Kubernetes does: they depend on the state, not on single events. */
export class ControlLoop {
  private readonly due = new Map<string, ObjectReference>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private scheduled = false;
  private stopped = false;

  constructor(
    private readonly store: WritableStore,
    private readonly controllers: Record<string, Reconcile>,
  ) {}

  /** Reconciles every object once before it returns, so that their status is right after this start. */
  start(): void {
    for (const kind of Object.keys(this.controllers)) {
      for (const object of this.store.listAll()) if (object.kind === kind) this.enqueue(object);
    }
    this.store.on("change", (object) => {
      this.enqueue(object);
      for (const owner of object.metadata.ownerReferences ?? []) this.enqueueOwner(object, owner.kind, owner.uid);
    });
    this.drain();
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** Reconciles the object again after this time in ms; calls for the same tenth of a second share a timer. */
  after(object: KubernetesObject, milliseconds: number): void {
    const reference = referenceTo(object);
    const key = JSON.stringify([reference, Math.ceil((Date.now() + milliseconds) / 100)]);
    if (this.stopped || this.timers.has(key)) return;
    const timer = setTimeout(
      () => {
        this.timers.delete(key);
        this.enqueueReference(reference);
      },
      Math.min(milliseconds, 2 ** 31 - 1),
    );
    this.timers.set(key, timer);
  }

  private enqueue(object: KubernetesObject): void {
    if (Object.hasOwn(this.controllers, object.kind)) this.enqueueReference(referenceTo(object));
  }

  /** Enqueues an owner and its owners, because a ReplicaSet's pod concerns the Deployment that owns the ReplicaSet. */
  private enqueueOwner(object: KubernetesObject, kind: string, uid: string): void {
    const namespace = referenceTo(object).namespace;
    for (const owner of this.store.listAll()) {
      if (owner.kind !== kind || owner.metadata.uid !== uid || referenceTo(owner).namespace !== namespace) continue;
      this.enqueue(owner);
      for (const next of owner.metadata.ownerReferences ?? []) this.enqueueOwner(owner, next.kind, next.uid);
    }
  }

  private enqueueReference(reference: ObjectReference): void {
    this.due.set(JSON.stringify(reference), reference);
    if (this.scheduled || this.stopped) return;
    this.scheduled = true;
    setImmediate(() => this.drain());
  }

  private drain(): void {
    this.scheduled = false;
    const batch = [...this.due.values()];
    this.due.clear();
    for (const reference of batch) {
      const object = this.store.get(reference);
      if (!object || this.stopped) continue;
      try {
        this.controllers[reference.kind]!(object);
      } catch (error) {
        console.error(`${reference.kind} ${reference.name}:`, error);
        raiseDefect(error);
        this.after(object, 1_000);
      }
    }
  }
}
