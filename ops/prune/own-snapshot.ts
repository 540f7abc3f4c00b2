import type { StoredBackup } from "../../backup/retention/choose";
import { candidates, snapshotIdentifier } from "../../components/release-id";
import type { ListedSnapshot } from "./rds-snapshots";

/** The stack whose snapshots are looked for. */
export interface SnapshotOwner {
  readonly project: string;
  readonly stack: string;
  readonly app: string;
  /** `database.identifier`, by which snapshots are named. */
  readonly database: string;
}

/** A snapshot that a release of the stack has taken, or the copy of one. */
export interface OwnSnapshot extends StoredBackup {
  readonly status: string;
  readonly series: { readonly name: string; readonly number: number };
}

/** The states in which a snapshot is still being made or changed. */
const FINAL: Readonly<Record<string, StoredBackup["state"]>> = { available: "complete", failed: "failed" };

/** The last part of a snapshot's name: twelve digits of the migrations, the attempt, and the try. */
const NAME = /-([0-9a-f]{12})(?:-([1-9]\d{0,8}))?(?:-r\d)?$/;

/**
 * Returns a snapshot if a release of this stack has taken it. Tags alone don't say so, because people copy them; a name
 * alone doesn't, because it may be of another stack with the same database. Both must fit, to the letter.
 *
 * @returns undefined for any other snapshot
 */
export function ownSnapshot(listed: ListedSnapshot, owner: SnapshotOwner): OwnSnapshot | undefined {
  const { identifier, source, tags, status, createdAt } = listed;
  const { migrations = "" } = tags;
  const ours = tags["project"] === owner.project && tags["stack"] === owner.stack && tags["app"] === owner.app;
  if (!ours || !/^[0-9a-f]{64}$/.test(migrations) || createdAt === undefined) return undefined;
  const attempt = Number(NAME.exec(identifier)?.[2] ?? 1);
  // After a switch to a restored database the older snapshots are still named by the database that they are of.
  for (const database of new Set([owner.database, source])) {
    const name = snapshotIdentifier(database, migrations, attempt);
    const number = candidates(name).indexOf(identifier);
    if (number < 0) continue;
    const state = Object.hasOwn(FINAL, status) ? FINAL[status]! : "unfinished";
    return { id: identifier, begunAt: createdAt, state, status, series: { name, number } };
  }
  return undefined;
}
