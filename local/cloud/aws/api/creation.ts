import { promises as fs } from "node:fs";
import path from "node:path";
import { isMissing } from "../../../../embedded/files";
import { readJson, writeAtomically } from "../../../../text/atomic";
import type { Properties } from "../../provider";
import { addFromMoment, addFromSnapshot } from "../copy-instance";
import type { Kind } from "../errors";
import { setBackupRetention, startInstance } from "../instance";
import { findInstance, type Instance, type Member, readInstance } from "../records";
import { restorable } from "../snapshot";

/**
 * A database that a call has asked for and that isn't there yet. As on RDS, the call is answered at once, and the
 * database is made even if this process is killed: the next one goes on from this record.
 */
export interface Creation {
  kind: Kind;
  identifier: string;
  createTime: string;
  /** What it is made of: a snapshot, or a moment of another database. */
  from: { snapshot: string } | { source: string; at: string };
  settings: Properties;
  /** The instances of a cluster; undefined for an instance. */
  members: Member[] | undefined;
  backupRetention: number;
  /** Why it failed; undefined while it is being made. */
  failure?: string;
}

const folderOf = (cloudDir: string) => path.join(cloudDir, "aws", "creating");

function fileOf(cloudDir: string, { kind, identifier }: Pick<Creation, "kind" | "identifier">): string {
  return path.join(folderOf(cloudDir), `${kind}-${identifier}.json`);
}

/** Lists the databases that are being made, and those that failed. */
export async function listCreations(cloudDir: string): Promise<Creation[]> {
  const names = await fs.readdir(folderOf(cloudDir)).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const found = names
    .filter((name) => name.endsWith(".json"))
    .map((name) => readJson<Creation>(path.join(folderOf(cloudDir), name), ["kind", "identifier"]));
  // A database that is there already was complete when its process was killed, but for this record.
  return found.filter((each) => each !== undefined);
}

/** Records what is to be made. */
export async function recordCreation(cloudDir: string, creation: Creation): Promise<void> {
  await fs.mkdir(folderOf(cloudDir), { recursive: true, mode: 0o700 });
  writeAtomically(fileOf(cloudDir, creation), JSON.stringify(creation, null, 2));
}

/** Forgets what failed, as deleting it does. */
export async function forgetCreation(cloudDir: string, creation: Pick<Creation, "kind" | "identifier">): Promise<void> {
  await fs.rm(fileOf(cloudDir, creation), { force: true });
}

/** Makes the database. It may be called again after it was interrupted at any point. */
export async function create(cloudDir: string, creation: Creation): Promise<void> {
  const { kind, identifier, from, settings, members, createTime, backupRetention } = creation;
  try {
    const copy = { kind, identifier, createTime, settings, members, backupRetention };
    if (!readInstance(cloudDir, kind, identifier)) {
      if ("snapshot" in from) await addFromSnapshot(cloudDir, restorable(cloudDir, from.snapshot, kind), copy);
      else {
        const source = readInstance(cloudDir, kind, from.source);
        if (!source) throw new Error(`${from.source} is gone.`);
        await addFromMoment(cloudDir, source, new Date(from.at), copy);
      }
    }
    // A cluster without an instance has no server.
    if (members?.length !== 0) {
      await startInstance(cloudDir, kind, identifier);
      await setBackupRetention(cloudDir, { kind, identifier }, backupRetention);
    }
    await forgetCreation(cloudDir, creation);
  } catch (error) {
    await recordCreation(cloudDir, { ...creation, failure: (error as Error).message });
  }
}

/** Returns a database that is being made, as others are read. */
export function creatingInstance(creation: Creation): Instance {
  const { kind, identifier, createTime, settings, members, backupRetention, failure } = creation;
  return {
    ...{ kind, identifier, createTime, settings, members, backupRetention },
    ...{ database: "", port: 0, engineVersion: "", encrypted: false, ready: false, host: "", dataDirectory: "" },
    status: failure === undefined ? "creating" : "failed",
  };
}

/** Finds a database, also one that is being made. */
export async function findDatabase(cloudDir: string, kind: Kind, identifier: string): Promise<Instance | undefined> {
  const creation = (await listCreations(cloudDir)).find((each) => each.kind === kind && each.identifier === identifier);
  return creation ? creatingInstance(creation) : findInstance(cloudDir, kind, identifier);
}
