import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import type { Backup } from "./backup";
import { type BackupStep, earlierBackup } from "./backup-step";
import { DatabaseSnapshot } from "./snapshot";
import { copyArn, copyName, SnapshotCopy, type SnapshotCopyArgs } from "./snapshot-copy";

/** What decides the snapshot of a release. */
export interface SnapshotOfReleaseArgs {
  settings: Pick<Settings, "backup" | "database" | "policy">;
  /** The result of `planBackup`. */
  backup: Backup;
  /** The DB identifier of the database. */
  database: pulumi.Input<string>;
  /** The tags that the release sets itself. */
  tags: Record<string, string>;
  /** The AWS provider of `backup.copy.region`. */
  copyProvider: pulumi.ProviderResource | undefined;
}

/** The backup of a release, and the copy of it that is to be made after the rollout. */
export interface MadeBackup {
  step: BackupStep;
  laterCopy?: SnapshotCopyArgs | undefined;
}

/**
 * Takes the snapshot of a release, and its copy. A release of only a new image takes none, and keeps the one that
 * is there.
 */
export function snapshotOf(args: SnapshotOfReleaseArgs, opts: pulumi.ComponentResourceOptions): MadeBackup {
  const { settings, copyProvider } = args;
  const { identifier, exists, availableSince, needed = true, copy: plannedCopy } = args.backup;
  if (!needed && !exists) return { step: earlierBackup("snapshot", identifier, undefined) };
  const { timeout, copy, kmsKey } = settings.backup;
  const shared = {
    ...{ kind: settings.database.kind, timeout },
    tags: { ...settings.backup.tags, ...args.tags },
  };
  const snapshot = new DatabaseSnapshot(
    identifier,
    {
      ...{ ...shared, identifier, exists, availableSince, database: args.database },
      // What the settings say of new snapshots doesn't concern one that is only kept.
      encryptionRequired: needed && settings.policy.encryption === "required",
      kmsKey: needed ? kmsKey : undefined,
    },
    opts,
  );
  if (!copy || !copyProvider || !plannedCopy) return { step: snapshot };
  return withCopy(
    snapshot,
    { ...shared, ...plannedCopy, source: snapshot, settings: copy, provider: copyProvider },
    opts,
  );
}

function withCopy(
  { kind, id, location, createdAt, completedAt }: DatabaseSnapshot,
  copy: SnapshotCopyArgs,
  opts: pulumi.ComponentResourceOptions,
): MadeBackup {
  const { region, when } = copy.settings;
  const { source, identifier } = copy;
  const named = location.apply((arn) =>
    arn === undefined ? null : { id: identifier, location: copyArn(arn, copy.settings, identifier), region },
  );
  const step = { kind, id, location, createdAt, copy: named };
  if (when === "after-rollout") return { step: { ...step, completedAt, resources: [source] }, laterCopy: copy };
  // The migration waits for the copy, so the time that it takes must not count as the age of the backup.
  const made = new SnapshotCopy(copyName(copy), copy, { ...opts, dependsOn: [source] });
  return { step: { ...step, completedAt: made.completedAt, resources: [source, made] } };
}
