import path from "node:path";
import type { Method, Service } from "../service";
import type { Kind } from "./errors";
import {
  applyFaults,
  type Connection,
  checkedIdentifier,
  deleteInstance,
  type EnsureInstance,
  ensureInstance,
  forEachRecord,
  restoreInstance,
} from "./instance";
import { foldersOutside, halfMade, isOwn, removeOutside } from "./placement";
import { killServer, stopServer } from "./postgres";
import { listProcesses } from "./processes";
import { dataDirectoryOf, listInstances, readInstance, type Snapshot } from "./records";
import {
  type CreateSnapshot,
  deleteSnapshot,
  modifySnapshot,
  recoverFolders,
  restorable,
  startSnapshot,
} from "./snapshot";

/** Names one snapshot; without `kind` an instance's is looked for first, then a cluster's. */
interface RestoreSnapshot {
  snapshot: string;
  kind?: Kind;
  /** Of the new instance; default `<source>-restored-<n>`. */
  identifier?: string;
}

interface Identified {
  kind: Kind;
  identifier: string;
}

/** What a command may ask of RDS. */
export interface AwsMethods {
  ensureInstance: Method<EnsureInstance, Connection>;
  deleteInstance: Method<Identified, void>;
  /** Answers as soon as the snapshot is `creating`; how it goes on is in its record (`listSnapshots`). */
  createSnapshot: Method<CreateSnapshot, Snapshot>;
  modifySnapshot: Method<Identified & { tags?: Record<string, string>; sharedAccounts?: string[] }, void>;
  deleteSnapshot: Method<Identified, void>;
  /** A new server from the snapshot, beside the old one. */
  restoreSnapshot: Method<RestoreSnapshot, Connection>;
  /** Makes servers listen, or not, as faults.json says; the other faults are read when they matter. */
  applyFaults: Method<void, void>;
}

/** RDS of one cloud. Servers live on when the process that runs this service is killed; the next one finds them. */
export function createAwsService(cloudDir: string): Service<AwsMethods> {
  const root = path.resolve(cloudDir);
  const stopping = new AbortController();
  const snapshots = new Set<Promise<void>>();
  const recovered = recover(root);
  recovered.catch(() => undefined);
  const inTurn = turns();

  const method =
    <Parameters, Result>(run: (parameters: Parameters) => Result | Promise<Result>) =>
    async (parameters: Parameters) => {
      stopping.signal.throwIfAborted();
      await recovered;
      return run(parameters);
    };

  return {
    methods: {
      ensureInstance: method((wanted) =>
        inTurn(`${wanted.kind}/${String(wanted.identifier).toLowerCase()}`, () => ensureInstance(root, wanted)),
      ),
      deleteInstance: method(({ kind, identifier }) =>
        inTurn(`${kind}/${identifier.toLowerCase()}`, () => deleteInstance(root, kind, identifier.toLowerCase())),
      ),
      createSnapshot: method((request) =>
        inTurn("snapshots", async () => {
          const { snapshot, done } = await startSnapshot(root, request, stopping.signal);
          snapshots.add(done);
          void done.then(() => snapshots.delete(done));
          return snapshot;
        }),
      ),
      modifySnapshot: method(({ kind, identifier, ...change }) => modifySnapshot(root, kind, identifier, change)),
      deleteSnapshot: method(({ kind, identifier }) =>
        inTurn("snapshots", () => deleteSnapshot(root, kind, identifier.toLowerCase())),
      ),
      restoreSnapshot: method((request) => inTurn("restores", () => restore(root, request))),
      applyFaults: method(() => applyFaults(root)),
    },
    async stop() {
      stopping.abort(new Error("The local cloud was stopped."));
      await recovered.catch(() => undefined);
      await Promise.all(snapshots);
      await stopAws(root);
    },
  };
}

/** Stops every database server of this cloud and nothing else, also when its records or its whole folder are gone. */
export async function stopAws(cloudDir: string): Promise<void> {
  const root = path.resolve(cloudDir);
  // A server whose record can't be read is found among the processes.
  await forEachRecord(
    root,
    async (record) => {
      const data = dataDirectoryOf(root, record);
      if (isOwn(root, data)) await stopServer(data);
    },
    () => undefined,
  );
  for (const data of await directoriesInUse(root)) await killServer(data);
}

async function restore(cloudDir: string, request: RestoreSnapshot): Promise<Connection> {
  const snapshot = restorable(cloudDir, request.snapshot.toLowerCase(), request.kind);
  let identifier = request.identifier;
  for (let n = 1; identifier === undefined; n++) {
    const candidate = `${snapshot.source}-restored-${n}`;
    if (!readInstance(cloudDir, snapshot.kind, candidate)) identifier = candidate;
  }
  return restoreInstance(cloudDir, snapshot, checkedIdentifier(snapshot.kind, identifier));
}

/** Goes on from whatever instant the last process of this cloud was killed at. */
async function recover(cloudDir: string): Promise<void> {
  const known = (await listInstances(cloudDir)).map((instance) => instance.dataDirectory);
  // An initdb, or the first start of a server, that outlived its cloud would go on writing into what is removed now.
  for (const data of await directoriesInUse(cloudDir)) if (!known.includes(data)) await killServer(data);
  // First: the rest of them inside the cloud tells which they are.
  for (const data of await halfMade(cloudDir)) await removeOutside(cloudDir, data);
  await recoverFolders(cloudDir);
}

/** Data directories of this cloud that some process works on, whether a record knows them or not. */
async function directoriesInUse(cloudDir: string): Promise<Set<string>> {
  const homes = [path.join(cloudDir, "aws"), ...(await foldersOutside(cloudDir))];
  const found = new Set<string>();
  for (const { command } of await listProcesses()) {
    const data = command.match(/ -D (.*\/server\/data(?:\.[0-9a-f]+\.tmp\/data)?) /)?.[1];
    if (data && homes.some((home) => data.startsWith(`${home}${path.sep}`))) found.add(data);
  }
  return found;
}

/** Calls with the same key run one after the other. */
function turns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
    last.set(key, mine);
    return mine;
  };
}
