import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import type { Live } from "./live-release";
import { ReleaseError } from "./release-error";
import { dumpName, snapshotIdentifier } from "./release-id";
import type { ReleaseBackup } from "./release-outputs";
import { chooseSnapshot, findAvailable } from "./snapshot-status";

/** The backup that a release relies upon. */
export interface Backup {
  identifier: string;
  /** Whether RDS has the snapshot already. The Job of a dump finds that out by itself. */
  exists: boolean;
  /** The time at which the snapshot was begun (ISO 8601). It is set only if it was complete before this `up`. */
  availableSince?: string;
  /**
   * Whether the release has migrations that the live one doesn't have, so that it must not go on without a backup.
   * Default: true. Without it no backup is made, and none is missed: it may have been removed meanwhile.
   */
  needed?: boolean;
  /** What the live release's outputs say of their backup. */
  published?: ReleaseBackup | undefined;
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

/** The options of {@link planBackup}. */
export interface BackupOptions extends pulumi.InvokeOptions {
  /** The result of `liveRelease`. Without it every release makes a backup for its migrations, if there is none yet. */
  live?: Live | undefined;
}

/**
 * Finds out which backup the release will use, before any resource is declared. A release of only a new image has the
 * migrations of the live one: it makes no backup, and asks nothing of the one that there may be.
 *
 * @param opts The provider of the package `aws`, which asks RDS, and what is live.
 * @returns undefined when `backup.mode` is "none"
 * @throws SnapshotError when RDS can't be queried, or when all snapshots of this release have failed
 */
export async function planBackup(
  { app, backup, database, release }: Settings,
  { fingerprint }: Pick<PackedHistory, "fingerprint">,
  { live = {}, ...opts }: BackupOptions = {},
): Promise<Backup | undefined> {
  if (backup.mode === "none") return undefined;
  const needed = live.fingerprint !== fingerprint || live.attempt !== release.attempt;
  if (backup.mode === "dump") {
    const place = { project: pulumi.getProject(), stack: pulumi.getStack(), app: app.name };
    const identifier = dumpName(place, fingerprint, release.attempt);
    return { identifier, exists: false, needed, published: live.backup };
  }
  const key = {
    kind: database.kind,
    identifier: snapshotIdentifier(database.identifier ?? "", fingerprint, release.attempt),
  };
  if (needed) return { ...(await chooseSnapshot(key, opts)), needed, published: live.backup };
  const found = await findAvailable(key, opts);
  return { ...(found ?? { identifier: key.identifier, exists: false }), needed, published: live.backup };
}

/**
 * Returns the command that restores a snapshot. It always creates a new database beside the old one: setting the
 * snapshot on the old database's own resource would replace that database and lose it.
 *
 * @param stack The name of the Pulumi stack.
 */
export function restoreCommand({ backup }: Pick<Settings, "backup">, stack: string, snapshot: string): string {
  if (backup.restore) return backup.restore.replaceAll("{snapshot}", snapshot);
  return `${commandLine("restore")} --stack ${shellWord(stack)} --to ${snapshot}`;
}
