import path from "node:path";
import { killServer, stopServer } from "../../../embedded/postgres";
import { listProcesses } from "../../../embedded/processes";
import type { Method, Service } from "../service";
import type { ApiContext } from "./api/action";
import { startMember } from "./api/changes";
import { create, listCreations } from "./api/creation";
import { API_PATH, answerCall } from "./api/server";
import { restoreInstance } from "./copy-instance";
import type { Kind } from "./errors";
import {
  applyFaults,
  type Connection,
  checkedIdentifier,
  deleteInstance,
  type EnsureInstance,
  ensureInstance,
  forEachRecord,
} from "./instance";
import { foldersOutside, halfMade, isOwn, removeOutside } from "./placement";
import { dataDirectoryOf, listInstances, readInstance, type Snapshot } from "./records";
import {
  type CreateSnapshot,
  deleteSnapshot,
  modifySnapshot,
  recoverFolders,
  restorable,
  startSnapshot,
} from "./snapshot";
import { type CopySnapshot, startCopy } from "./snapshot-copy";

/** Identifies a snapshot to restore. Without `kind` the snapshots of instances are searched first, then of clusters. */
interface RestoreSnapshot {
  snapshot: string;
  kind?: Kind;
  /** The identifier of the new instance; default: `<source>-restored-<n>`. */
  identifier?: string;
}

interface Identified {
  kind: Kind;
  identifier: string;
}

/** The methods of RDS that a command may call. */
export interface AwsMethods {
  ensureInstance: Method<EnsureInstance, Connection>;
  deleteInstance: Method<Identified, void>;
  /** Returns as soon as the snapshot is `creating`; its further progress is in its record (`listSnapshots`). */
  createSnapshot: Method<CreateSnapshot, Snapshot>;
  /** Copies a snapshot to another region; it returns as soon as the copy is `copying`. */
  copySnapshot: Method<CopySnapshot, Snapshot>;
  modifySnapshot: Method<Identified & { tags?: Record<string, string>; sharedAccounts?: string[] }, void>;
  deleteSnapshot: Method<Identified, void>;
  /** Starts a new server with the snapshot's data, next to the old one. */
  restoreSnapshot: Method<RestoreSnapshot, Connection>;
  /** Opens or closes the ports of servers as faults.json requires; the other faults are read when they are needed. */
  applyFaults: Method<void, void>;
}

/** RDS of one cloud. Servers keep running when this service's process is killed, and the next process finds them. */
export function createAwsService(cloudDir: string): Service<AwsMethods> {
  const root = path.resolve(cloudDir);
  const stopping = new AbortController();
  const snapshots = new Set<Promise<void>>();
  const recovered = recover(root);
  recovered.catch(() => undefined);
  const inTurn = turns();
  const api: ApiContext = {
    cloudDir: root,
    later(work) {
      void inTurn("creations", async () => {
        if (!stopping.signal.aborted) await work();
      }).catch((error) => console.error(error));
    },
  };
  // What calls have asked for is made also if the process that answered them was killed.
  void recovered.then(
    () => goOn(root, api),
    () => undefined,
  );

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
      copySnapshot: method((request) =>
        inTurn("snapshots", async () => {
          const { snapshot, done } = await startCopy(root, request, stopping.signal);
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
    api: {
      path: API_PATH,
      async answer(request, response, secret) {
        await recovered.catch(() => undefined);
        await answerCall(api, request, response, secret);
      },
    },
    async stop() {
      stopping.abort(new Error("The local cloud was stopped."));
      await recovered.catch(() => undefined);
      await Promise.all(snapshots);
      await inTurn("creations", async () => undefined);
      await stopAws(root);
    },
  };
}

/** Stops every database server of this cloud and no other, even if its records or its whole folder are gone. */
export async function stopAws(cloudDir: string): Promise<void> {
  const root = path.resolve(cloudDir);
  // A server whose record can't be read is found in the list of processes below.
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

/** Goes on with what calls of the API have asked for, and the last process of this cloud did not finish. */
async function goOn(cloudDir: string, { later }: ApiContext): Promise<void> {
  for (const creation of await listCreations(cloudDir))
    if (creation.failure === undefined) later(() => create(cloudDir, creation));
  for (const { kind, identifier } of await listInstances(cloudDir))
    for (const member of (kind === "cluster" && readInstance(cloudDir, kind, identifier)?.members) || [])
      if (!member.ready) later(() => startMember(cloudDir, identifier, member.identifier));
}

/** Cleans up after the last process of this cloud, which may have been killed at any moment. */
async function recover(cloudDir: string): Promise<void> {
  const known = (await listInstances(cloudDir)).map((instance) => instance.dataDirectory);
  // An initdb or a server's first start may have outlived its cloud and would write to folders that are removed now.
  for (const data of await directoriesInUse(cloudDir)) if (!known.includes(data)) await killServer(data);
  // This comes first, because it needs the drafts inside the cloud, which recoverFolders removes.
  for (const data of await halfMade(cloudDir)) await removeOutside(cloudDir, data);
  await recoverFolders(cloudDir);
}

/** The data directories of this cloud that a process uses, with or without a record. */
async function directoriesInUse(cloudDir: string): Promise<Set<string>> {
  const homes = [path.join(cloudDir, "aws"), ...(await foldersOutside(cloudDir))];
  const found = new Set<string>();
  for (const { command } of await listProcesses()) {
    const data = command.match(/ -D (.*\/server\/data(?:\.[0-9a-f]+\.tmp\/data)?) /)?.[1];
    if (data && homes.some((home) => data.startsWith(`${home}${path.sep}`))) found.add(data);
  }
  return found;
}

/** Returns a function that runs calls with the same key one after the other. */
function turns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
    last.set(key, mine);
    return mine;
  };
}
