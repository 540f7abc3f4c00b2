import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type OnUnreadable, readable, readJson, UnreadableFile, writeAtomically } from "../../../text/atomic";
import { type KubernetesObject, type ObjectReference, referenceTo } from "./object";

/**
 * The objects of a cluster, one file each: `objects/<Kind>.<group>/<namespace>/<name>.json`. Secrets are in a folder of
 * their own and in no other file. Reading needs no background process; only that process writes.
 */
export interface Store {
  get(reference: ObjectReference): KubernetesObject | undefined;
  list(group: string, kind: string, namespace?: string): KubernetesObject[];
  /** Lists every object except Secrets. */
  listAll(): KubernetesObject[];
}

export function kubernetesDirectory(cloudDir: string): string {
  return join(cloudDir, "kubernetes");
}

export function openStore(cloudDir: string, onUnreadable?: OnUnreadable): Store {
  const root = kubernetesDirectory(cloudDir);
  const list = (group: string, kind: string, namespace?: string) => {
    const folder = kindFolder(root, group, kind);
    const namespaces = namespace === undefined ? folders(folder) : [namespace || "_cluster"];
    return namespaces.flatMap((space) => objectsIn(join(folder, safe(space)), onUnreadable));
  };
  return {
    get: (reference) => readJson<KubernetesObject>(fileOf(root, reference)),
    list,
    listAll: () =>
      folders(join(root, "objects")).flatMap((folder) => {
        const [kind = "", ...group] = folder.split(".");
        return list(group.join(".") === "core" ? "" : group.join("."), kind);
      }),
  };
}

const RETRY_MILLISECONDS = 1_000;

/** The store of the background process, which is its only writer. It keeps all objects in memory and emits changes. */
export class WritableStore extends EventEmitter<{ change: [KubernetesObject, "set" | "deleted"] }> implements Store {
  private readonly root: string;
  private readonly objects = new Map<string, KubernetesObject>();
  /** The keys of objects whose file is older than the object in memory. */
  private readonly unwritten = new Set<string>();
  private version = Date.now();
  /** Set when the folder is gone or the cloud is stopping; nothing is written any more. */
  closed = false;

  constructor(cloudDir: string) {
    super();
    this.setMaxListeners(0);
    this.root = kubernetesDirectory(cloudDir);
    mkdirSync(this.root, { recursive: true, mode: 0o700 });
    const files = openStore(cloudDir);
    for (const object of [...files.listAll(), ...files.list("", "Secret")]) this.objects.set(keyOf(object), object);
  }

  get(reference: ObjectReference): KubernetesObject | undefined {
    return this.objects.get(key(reference));
  }

  list(group: string, kind: string, namespace?: string): KubernetesObject[] {
    return [...this.objects.values()].filter((object) => {
      const reference = referenceTo(object);
      return (
        reference.kind === kind &&
        reference.group === group &&
        (namespace === undefined || reference.namespace === namespace)
      );
    });
  }

  listAll(): KubernetesObject[] {
    return [...this.objects.values()].filter((object) => object.kind !== "Secret");
  }

  /**
   * Stores the object with a new resource version, and with a uid and a creation time if it has none.
   *
   * @throws the system's error when the object can't be written; nothing has changed then
   */
  set(object: KubernetesObject): KubernetesObject {
    return this.keep(object, (stored) => this.write(stored));
  }

  private keep(object: KubernetesObject, write: (stored: KubernetesObject) => void): KubernetesObject {
    const stored: KubernetesObject = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? randomUUID(),
        creationTimestamp: object.metadata.creationTimestamp ?? timestamp(),
        resourceVersion: String(++this.version),
      },
    };
    // If the folder has been deleted, a change of a pod must not create it again.
    this.closed ||= !existsSync(this.root);
    if (this.closed) return stored;
    write(stored);
    this.objects.set(keyOf(stored), stored);
    this.emit("change", stored, "set");
    return stored;
  }

  private write(object: KubernetesObject): void {
    const file = fileOf(this.root, referenceTo(object));
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
    writeAtomically(file, JSON.stringify(object));
  }

  /**
   * Writes a status, and retries later if the disk is full. A status reports something that has happened, so it counts
   * at once: otherwise the pod of a Job that has ended would seem to run for ever.
   */
  private writeWhenPossible(object: KubernetesObject): void {
    const key = keyOf(object);
    if (this.unwritten.has(key)) return;
    try {
      this.write(object);
    } catch (error) {
      console.error(`the status of ${object.kind} ${object.metadata.name} is not written yet:`, error);
      this.unwritten.add(key);
      const again = () => {
        this.unwritten.delete(key);
        const now = this.objects.get(key);
        if (now && !this.closed) this.writeWhenPossible(now);
      };
      setTimeout(again, RETRY_MILLISECONDS).unref();
    }
  }

  /** Changes only the status; does nothing if the status is the same. */
  setStatus(object: KubernetesObject, status: object): KubernetesObject {
    const current = this.get(referenceTo(object));
    if (!current || current.metadata.uid !== object.metadata.uid) return object;
    if (JSON.stringify(current["status"]) === JSON.stringify(status)) return current;
    return this.keep({ ...current, status }, (stored) => this.writeWhenPossible(stored));
  }

  remove(reference: ObjectReference): void {
    const object = this.objects.get(key(reference));
    if (!object || this.closed) return;
    rmSync(fileOf(this.root, reference), { force: true });
    this.objects.delete(key(reference));
    this.emit("change", object, "deleted");
  }
}

/** Formats a time as the API does, in whole seconds. */
export function timestamp(at = new Date()): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

function keyOf(object: KubernetesObject): string {
  return key(referenceTo(object));
}

function key({ group, kind, namespace, name }: ObjectReference): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

function kindFolder(root: string, group: string, kind: string): string {
  if (group === "" && kind === "Secret") return join(root, "secrets");
  return join(root, "objects", safe(`${kind}.${group || "core"}`));
}

function fileOf(root: string, { group, kind, namespace, name }: ObjectReference): string {
  return join(kindFolder(root, group, kind), safe(namespace || "_cluster"), `${safe(name)}.json`);
}

/** Returns a part of a path unchanged. @throws Error for names that the API server would reject too */
function safe(part: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}$/.test(part)) throw new Error(`"${part}" is not a valid name`);
  return part;
}

function folders(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function objectsIn(folder: string, onUnreadable?: OnUnreadable): KubernetesObject[] {
  return folders(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => readable(() => readObject(join(folder, file)), onUnreadable))
    .filter((object) => object !== undefined);
}

function readObject(file: string): KubernetesObject | undefined {
  const object = readJson<KubernetesObject>(file, ["kind", "apiVersion"]);
  if (object && typeof object.metadata?.name !== "string") throw new UnreadableFile(file, "it has no metadata.name");
  return object;
}
