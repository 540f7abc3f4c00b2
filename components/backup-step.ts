import * as pulumi from "@pulumi/pulumi";
import type { BackupKind, ReleaseBackup } from "./release-outputs";

/**
 * The step of a release between its preflight and its migration. Each kind of backup is a component of its own that has
 * these values; the migration, the outputs and the report need nothing else of it.
 */
export interface BackupStep {
  readonly kind: BackupKind;
  /** The name of the backup. It depends on the migrations and on `release.attempt`, so the program knows it. */
  readonly id: string;
  /** The place of the backup: an ARN, or the URL of an object or a branch. It is undefined if there is none any more. */
  readonly location: pulumi.Output<string | undefined>;
  /** The time at which the backup was begun (ISO 8601). Going back to it loses what was written since. */
  readonly createdAt: pulumi.Output<string | undefined>;
  /** The time at which the backup was complete (ISO 8601). `backup.maxAge` counts from here. */
  readonly completedAt: pulumi.Output<string | undefined>;
  /** The sha-256 of the backup's file. Default: it has none, or it is unknown. */
  readonly checksum?: pulumi.Output<string | undefined>;
  /** The resources that must be complete before the migration begins. */
  readonly resources: readonly pulumi.Resource[];
  /** The copy of the backup in another region; null if there is none. */
  readonly copy?: pulumi.Output<ReleaseBackup["copy"]> | undefined;
}

/** Returns what the outputs say of a backup; null if there is none any more. It is known when the backup is complete. */
export function backupOutput(step: BackupStep | undefined): pulumi.Output<ReleaseBackup | null> {
  if (!step) return pulumi.output(null);
  const { kind, id } = step;
  return pulumi
    .all([step.location, step.createdAt, step.completedAt, step.checksum, step.copy])
    .apply(([location, createdAt, completedAt, checksum = null, copy = null]) =>
      location !== undefined && createdAt !== undefined && completedAt !== undefined
        ? { kind, id, location, createdAt, completedAt, checksum, copy }
        : null,
    );
}

/** Returns the step of a release that relies on no new backup: the one that its outputs named before, or none. */
export function earlierBackup(kind: BackupKind, id: string, published: ReleaseBackup | undefined): BackupStep {
  const same = published?.kind === kind && published.id === id ? published : undefined;
  return {
    kind,
    id,
    location: pulumi.output(same?.location),
    createdAt: pulumi.output(same?.createdAt),
    completedAt: pulumi.output(same?.completedAt),
    checksum: pulumi.output(same?.checksum ?? undefined),
    copy: pulumi.output(same?.copy ?? null),
    resources: [],
  };
}
