import * as pulumi from "@pulumi/pulumi";
import { backupName } from "../backup/names";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import { databaseKey } from "./database-endpoint";
import type { Live } from "./live-release";
import { ReleaseError } from "./release-error";
import { snapshotIdentifier } from "./release-id";
import type { BackupKind, ReleaseBackup } from "./release-outputs";
import { CopyProviderMissing, chooseCopy, type PlannedCopy } from "./snapshot-copy";
import { chooseSnapshot, encryptedWith, findAvailable, OTHER_KEY, SnapshotError } from "./snapshot-status";

/** The backup that a release relies upon. */
export interface Backup {
  identifier: string;
  /** Whether RDS has the snapshot already. The Job of a dump or a branch finds that out by itself. */
  exists: boolean;
  /** The time at which the snapshot was begun (ISO 8601). It is set only if it was complete before this `up`. */
  availableSince?: string;
  /**
   * Whether the release has migrations that the live one doesn't have, so that it must not go on without a backup.
   * Default: true. Without it no backup is made, and none is missed: it may have been removed meanwhile.
   */
  needed?: boolean;
  /** The snapshot's copy in another region; undefined if `backup.copy` is not set. */
  copy?: PlannedCopy | undefined;
  /** What the live release's outputs say of their backup. */
  published?: ReleaseBackup | undefined;
}

/** This error reports that a program made a `Release` without the backup that its settings require. */
export class BackupMissing extends ReleaseError {
  override readonly name = "BackupMissing";

  constructor() {
    super(
      'backup.mode of this environment is not "none", but the Release was given no backup.\n' +
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
  /** The AWS provider of `backup.copy.region`, if that is set. */
  copyProvider?: pulumi.ProviderResource | undefined;
}

/**
 * Finds out which backup the release will use, before any resource is declared. A release of only a new image has the
 * migrations of the live one: it makes no backup, and asks nothing of the one that there may be. Neither does one that
 * holds back the last migration of the live one.
 *
 * @param opts The provider of the package `aws`, which asks RDS, and what is live.
 * @returns undefined when `backup.mode` is "none"
 * @throws SnapshotError when RDS can't be queried, when all snapshots of this release have failed, or when the database
 *   has another key than `backup.kmsKey`
 * @throws CopyProviderMissing when `backup.copy` is set and there is no provider for it
 */
export async function planBackup(
  settings: Settings,
  { fingerprint, heldBack = [] }: Pick<PackedHistory, "fingerprint" | "heldBack">,
  { live = {}, copyProvider, ...opts }: BackupOptions = {},
): Promise<Backup | undefined> {
  const { app, backup, database, release } = settings;
  if (backup.mode === "none") return undefined;
  // A release that goes back to a restored database has nothing to apply. If something is pending after all, the
  // migration Job refuses to go on without a backup.
  const goesBack = live.migration !== undefined && heldBack.includes(live.migration);
  const needed = !goesBack && (live.fingerprint !== fingerprint || live.attempt !== release.attempt);
  if (backup.mode === "dump" || backup.mode === "branch") {
    const place = { project: pulumi.getProject(), stack: pulumi.getStack(), app: app.name };
    const identifier = backupName(place, fingerprint, release.attempt);
    return { identifier, exists: false, needed, published: live.backup };
  }
  if (backup.copy && !copyProvider) throw new CopyProviderMissing(backup.copy.region);
  const key = {
    kind: database.kind,
    identifier: snapshotIdentifier(database.identifier ?? "", fingerprint, release.attempt),
  };
  if (needed) await requireKey(settings, opts);
  const found = needed ? await chooseSnapshot(key, opts) : await findAvailable(key, opts);
  const planned = { ...(found ?? { identifier: key.identifier, exists: false }), needed, published: live.backup };
  if (!backup.copy || !copyProvider || (!needed && !found)) return planned;
  return { ...planned, copy: await chooseCopy(key, planned, backup.copy, { provider: copyProvider }) };
}

/**
 * Looks at the key of the database before its snapshot is taken, because a large one takes hours.
 *
 * @throws SnapshotError when it is another one than `backup.kmsKey`
 */
async function requireKey({ backup, database }: Settings, opts: pulumi.InvokeOptions): Promise<void> {
  const { kind, identifier } = database;
  if (backup.kmsKey === undefined || identifier === undefined) return;
  const key = await databaseKey({ kind, identifier }, opts);
  if (key === undefined || key === backup.kmsKey) return;
  throw new SnapshotError(`Database ${identifier} ${encryptedWith(key, backup.kmsKey)}`, OTHER_KEY);
}

/**
 * Returns the command that restores a backup. It always creates a new database beside the old one: setting a snapshot on the old database's own resource would replace that database and lose it.
 *
 * @param stack The name of the Pulumi stack.
 */
export function restoreCommand(
  { backup }: Pick<Settings, "backup">,
  stack: string,
  { kind, id }: { readonly kind: BackupKind; readonly id: string },
): string {
  if (kind === "snapshot" && backup.restore) return backup.restore.replaceAll("{snapshot}", id);
  const identity = kind === "dump" && backup.dump && backup.dump.recipients.length > 0 ? " --identity FILE" : "";
  return `${commandLine("restore")} --stack ${shellWord(stack)} --to ${id}${identity}`;
}
