import * as aws from "@pulumi/aws/rds";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";
import { retryWhileBusy } from "./busy-database";
import { type SnapshotDescription, waitUntilAvailable } from "./snapshot-status";

/** Which database the snapshot is of, and what it has to satisfy. */
export interface DatabaseSnapshotArgs {
  /** An RDS instance (also Multi-AZ), or an Aurora cluster. */
  kind: "instance" | "cluster";
  /** The DB identifier, not the resource id (`db-XXXX…`). */
  database: pulumi.Input<string>;
  /** At most 63 lower-case letters, digits and single hyphens; unique in the account and region. */
  identifier: string;
  /** RDS has it already: made by an earlier `up`, perhaps by one that was killed before it could record it. */
  exists: boolean;
  /** ISO 8601: it was complete before this `up`, and is as old as it says. */
  availableSince?: string;
  /** How long a database that is being backed up or modified is waited for, and then the snapshot until it is `available`. */
  timeout: Duration;
  /** Refuse to go on with a snapshot that is not encrypted at rest. */
  encryptionRequired: boolean;
  tags: Record<string, string>;
}

/**
 * A snapshot of the database as it is before the migration. It outlives its release: leaving the program or a destroy
 * keeps it, and pruning goes by its tags.
 *
 * There is no `replaceOnChanges` here: a kept snapshot keeps its identifier too, so a replacement under that identifier
 * could only be refused (DBSnapshotAlreadyExists). A snapshot that failed is instead left aside by `chooseSnapshot`.
 */
export class DatabaseSnapshot extends pulumi.ComponentResource {
  readonly identifier: string;
  /** Known only once the snapshot is `available`, so whoever reads it waits for that; undefined when it is gone. */
  readonly arn: pulumi.Output<string | undefined>;
  /** When RDS began it, ISO 8601; known as late as the ARN. */
  readonly createdAt: pulumi.Output<string | undefined>;
  /** When `up` saw it become `available`, ISO 8601; when it was begun, where no `up` saw that. */
  readonly completedAt: pulumi.Output<string | undefined>;

  constructor(name: string, args: DatabaseSnapshotArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:DatabaseSnapshot", name, {}, opts);
    this.identifier = args.identifier;

    const options: pulumi.CustomResourceOptions = {
      parent: this,
      dependsOn: opts?.dependsOn ?? [],
      retainOnDelete: true,
      customTimeouts: { create: `${args.timeout.seconds}s` },
      ...retryWhileBusy(name, args),
      // Release and commit differ between the releases that share a snapshot; it keeps the tags it was made with. Its
      // database is in its name; older releases kept that in another spelling than RDS does.
      ignoreChanges: ["tags", "tagsAll", "dbInstanceIdentifier", "dbClusterIdentifier"],
      // Ignored by the engine for a snapshot that its state already holds under this id.
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

    // A creation that was interrupted turns green on the next `up` without being waited for, and never gets its computed
    // outputs (code: terraform bridge, aws_db_snapshot). Only its id is sure: everything else is what RDS says.
    const available: pulumi.Output<SnapshotDescription | undefined> = snapshot.id.apply(() =>
      waitUntilAvailable(args, { parent: this }),
    );
    this.arn = available.apply((found) => found?.arn);
    this.createdAt = available.apply((found) => found?.createdAt);
    // Noted once for each snapshot, in the state: RDS tells when one was begun, and a large one takes hours. One that was
    // deleted by hand is taken again under the same identifier, and then has a later end too.
    const { availableSince } = args;
    const completed = new local.Command(
      `${name}-completed`,
      {
        create: available.apply(() =>
          availableSince === undefined ? "date -u +%Y-%m-%dT%H:%M:%SZ" : `echo ${availableSince}`,
        ),
        logging: "none",
        triggers: [this.createdAt.apply((begun) => begun ?? "gone")],
      },
      { parent: this, dependsOn: opts?.dependsOn ?? [], ignoreChanges: ["create", "logging"] },
    );
    this.completedAt = pulumi
      .all([available, completed.stdout])
      .apply(([found, at]) => (found ? at.trim() : undefined));
    this.registerOutputs({ arn: this.arn, createdAt: this.createdAt });
  }
}
