import type * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { ReleaseError } from "./release-error";
import { snapshotIdentifier } from "./release-id";
import { chooseSnapshot } from "./snapshot-status";

/** The snapshot that a release relies upon. */
export interface Backup {
  identifier: string;
  /** RDS has it already. */
  exists: boolean;
  /** ISO 8601: it was complete before this `up`. */
  availableSince?: string;
}

/** A program made a `Release` without the backup that its settings ask for. */
export class BackupMissing extends ReleaseError {
  override readonly name = "BackupMissing";

  constructor() {
    super(
      'backup.mode of this environment is "snapshot", but the Release was given no backup.\n' +
        "Nothing was touched: database and app are as they were.\n" +
        "In the program, give the Release what planBackup returns for these settings and this history, " +
        "and run the same command again.",
    );
  }
}

/** Looks up which snapshot the release will use, before any resource is declared. */
export async function planBackup(
  { backup, database, release }: Settings,
  history: Pick<PackedHistory, "fingerprint">,
  opts?: pulumi.InvokeOptions,
): Promise<Backup | undefined> {
  if (backup.mode === "none") return undefined;
  const identifier = snapshotIdentifier(database.identifier, history.fingerprint, release.attempt);
  return chooseSnapshot({ kind: database.kind, identifier }, opts);
}

/** A restore is always a new database beside the old one: changing the old one's snapshot would replace, and lose, it. */
export function restoreCommand({ backup, database }: Settings, snapshot: string): string {
  if (backup.restore) return backup.restore.replaceAll("{snapshot}", snapshot);
  const target = `${database.identifier}-restored`;
  return database.kind === "instance"
    ? `aws rds restore-db-instance-from-db-snapshot --db-instance-identifier ${target} --db-snapshot-identifier ${snapshot}`
    : `aws rds restore-db-cluster-from-snapshot --db-cluster-identifier ${target} --snapshot-identifier ${snapshot} --engine aurora-postgresql`;
}
