import * as aws from "@pulumi/aws/rds";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";
import type { BackupStep } from "./backup-step";
import { retryWhileBusy } from "./busy-database";
import { childOf } from "./child";
import { completionTime } from "./completion-time";
import { type SnapshotDescription, waitUntilAvailable } from "./snapshot-status";

/** The arguments of a snapshot: its database, its identifier and the conditions that it must meet. */
export interface DatabaseSnapshotArgs {
  /** The kind of the database: an RDS instance (also Multi-AZ), or an Aurora cluster. */
  kind: "instance" | "cluster";
  /** The DB identifier, not the resource id (`db-XXXX…`). */
  database: pulumi.Input<string>;
  /**
   * The snapshot's identifier: at most 63 lower-case letters, digits and single hyphens, unique in account and region.
   */
  identifier: string;
  /** Whether RDS has the snapshot already, from an earlier `up` that may have been killed before it recorded it. */
  exists: boolean;
  /** The time at which the snapshot was begun (ISO 8601). It is set only if it was complete before this `up`. */
  availableSince?: string | undefined;
  /** The longest wait for a busy database, and again for the snapshot to become `available`. */
  timeout: Duration;
  /** Whether a snapshot that is not encrypted at rest ends the release. */
  encryptionRequired: boolean;
  /** The ARN of the key that the snapshot must be encrypted with; default: any, or none. */
  kmsKey?: string | undefined;
  tags: Record<string, string>;
}

/**
 * A snapshot of the database before the migration. It outlives its release: it stays in RDS when it leaves the program
 * and when the stack is destroyed. Old snapshots can be found by their tags.
 *
 * `replaceOnChanges` is not set here, because the old snapshot would keep the identifier and RDS would refuse its
 * replacement (DBSnapshotAlreadyExists). After a failed snapshot, `chooseSnapshot` chooses another identifier instead.
 */
export class DatabaseSnapshot extends pulumi.ComponentResource implements BackupStep {
  readonly kind = "snapshot" as const;
  readonly id: string;
  /**
   * The snapshot's ARN; undefined if the snapshot doesn't exist any more. It is known only once the snapshot is
   * `available`, so a resource that uses it waits for that.
   */
  readonly location: pulumi.Output<string | undefined>;
  /** The time at which RDS began the snapshot (ISO 8601). It is known at the same time as the ARN. */
  readonly createdAt: pulumi.Output<string | undefined>;
  /**
   * The time at which an `up` saw the snapshot become `available` (ISO 8601). If no `up` saw that, it is the time at
   * which the snapshot was begun.
   */
  readonly completedAt: pulumi.Output<string | undefined>;
  readonly resources: readonly pulumi.Resource[] = [this];

  constructor(name: string, args: DatabaseSnapshotArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:DatabaseSnapshot", name, {}, opts);
    this.id = args.identifier;

    const options: pulumi.CustomResourceOptions = {
      ...childOf(this, opts),
      retainOnDelete: true,
      customTimeouts: { create: `${args.timeout.seconds}s` },
      ...retryWhileBusy(name, args),
      // Releases that share a snapshot differ in the tags for release and commit; the snapshot keeps its first tags.
      // The database's identifier is ignored, because older versions recorded it in another spelling than RDS. It
      // can't differ otherwise, because it is part of the snapshot's name.
      ignoreChanges: ["tags", "tagsAll", "dbInstanceIdentifier", "dbClusterIdentifier"],
      // The engine ignores `import` if its state already contains the snapshot under this id.
      ...(args.exists ? { import: args.identifier } : {}),
    };
    const { tags } = args;
    const snapshot =
      args.kind === "instance"
        ? new aws.Snapshot(
            name,
            { dbInstanceIdentifier: args.database, dbSnapshotIdentifier: args.identifier, tags },
            options,
          )
        : new aws.ClusterSnapshot(
            name,
            { dbClusterIdentifier: args.database, dbClusterSnapshotIdentifier: args.identifier, tags },
            options,
          );

    // After an interrupted creation, the next `up` reports success without waiting and never sets the computed outputs
    // (code: terraform bridge, aws_db_snapshot). So only the id is taken from the resource; RDS is queried for the
    // rest.
    const available: pulumi.Output<SnapshotDescription | undefined> = snapshot.id.apply(() =>
      waitUntilAvailable(args, { parent: this }),
    );
    this.location = available.apply((found) => found?.arn);
    this.createdAt = available.apply((found) => found?.createdAt);
    this.completedAt = completionTime(name, available, args.availableSince, childOf(this, opts));
    this.registerOutputs({ arn: this.location, createdAt: this.createdAt });
  }
}
