import type * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { ReleaseError } from "./release-error";
import { snapshotIdentifier } from "./release-id";
import { chooseSnapshot } from "./snapshot-status";

/** The snapshot that a release relies upon. */
export interface Backup {
  identifier: string;
  /** Whether RDS has the snapshot already. */
  exists: boolean;
  /** The time at which the snapshot was begun (ISO 8601). It is set only if it was complete before this `up`. */
  availableSince?: string;
}

/** This error reports that a program made a `Release` without the backup that its settings require. */
export class BackupMissing extends ReleaseError {
  override readonly name = "BackupMissing";

  constructor() {
    super(
      'backup.mode of this environment is "snapshot", but the Release was given no backup.\n' +
        "Nothing was touched: database and app are as they were.\n" +
        "In the program, give the Release what planBackup returns for these settings and this history " +
        "(prepareRelease does, see docs/in-your-program.md), and run the same command again.",
    );
  }
}

/**
 * Finds out which snapshot the release will use, before any resource is declared.
 *
 * @param opts The provider of the package `aws`, which asks RDS.
 * @returns undefined when `backup.mode` is "none"
 * @throws SnapshotError when RDS can't be queried, or when all snapshots of this release have failed
 */
export async function planBackup(
  { backup, database, release }: Settings,
  history: Pick<PackedHistory, "fingerprint">,
  opts?: pulumi.InvokeOptions,
): Promise<Backup | undefined> {
  if (backup.mode === "none") return undefined;
  const identifier = snapshotIdentifier(database.identifier, history.fingerprint, release.attempt);
  return chooseSnapshot({ kind: database.kind, identifier }, opts);
}

/**
 * Returns the command that restores a snapshot. It always creates a new database beside the old one: setting the
 * snapshot on the old database's own resource would replace that database and lose it.
 */
export function restoreCommand({ backup, database }: Settings, snapshot: string): string {
  if (backup.restore) return backup.restore.replaceAll("{snapshot}", snapshot);
  const target = `${database.identifier}-restored`;
  return database.kind === "instance"
    ? `aws rds restore-db-instance-from-db-snapshot --db-instance-identifier ${target} --db-snapshot-identifier ${snapshot}`
    : `aws rds restore-db-cluster-from-snapshot --db-cluster-identifier ${target} --snapshot-identifier ${snapshot} --engine aurora-postgresql`;
}
