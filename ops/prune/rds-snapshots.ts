import {
  type DBClusterSnapshot,
  type DBSnapshot,
  DeleteDBClusterSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeAccountAttributesCommand,
  paginateDescribeDBClusterSnapshots,
  paginateDescribeDBSnapshots,
  type RDSClient,
} from "@aws-sdk/client-rds";

/** The kind of the database, which decides the calls of RDS. */
export type DatabaseKind = "instance" | "cluster";

/** A manual snapshot, as RDS lists it. */
export interface ListedSnapshot {
  readonly identifier: string;
  readonly arn: string;
  /** The identifier of the database that it is of. */
  readonly source: string;
  readonly status: string;
  readonly createdAt: Date | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** The calls of RDS for the manual snapshots of one kind in one region. */
export interface SnapshotCalls {
  /** The name of the call that removes one, for messages. */
  readonly removal: string;
  list(client: RDSClient): Promise<ListedSnapshot[]>;
  /** Removes a snapshot; does nothing if there is none of that name any more. */
  remove(client: RDSClient, identifier: string): Promise<void>;
  /** Returns how many the account has in this region, and may have; undefined if RDS doesn't say. */
  quota(client: RDSClient): Promise<{ used: number; max: number } | undefined>;
}

/** The calls by the kind of the database. */
export const SNAPSHOT_CALLS: Readonly<Record<DatabaseKind, SnapshotCalls>> = {
  instance: {
    removal: "DeleteDBSnapshot",
    async list(client) {
      const found: ListedSnapshot[] = [];
      for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client }, { SnapshotType: "manual" }))
        found.push(
          ...DBSnapshots.filter(isManual).map((each) =>
            listed(each, {
              identifier: each.DBSnapshotIdentifier,
              arn: each.DBSnapshotArn,
              source: each.DBInstanceIdentifier,
            }),
          ),
        );
      return found;
    },
    remove: (client, DBSnapshotIdentifier) =>
      unlessGone(client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }))),
    quota: (client) => quotaOf(client, "ManualSnapshots"),
  },
  cluster: {
    removal: "DeleteDBClusterSnapshot",
    async list(client) {
      const found: ListedSnapshot[] = [];
      const pages = paginateDescribeDBClusterSnapshots({ client }, { SnapshotType: "manual" });
      for await (const { DBClusterSnapshots = [] } of pages)
        found.push(
          ...DBClusterSnapshots.filter(isManual).map((each) =>
            listed(each, {
              identifier: each.DBClusterSnapshotIdentifier,
              arn: each.DBClusterSnapshotArn,
              source: each.DBClusterIdentifier,
            }),
          ),
        );
      return found;
    },
    remove: (client, DBClusterSnapshotIdentifier) =>
      unlessGone(client.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier }))),
    quota: (client) => quotaOf(client, "ManualClusterSnapshots"),
  },
};

/** RDS is asked for manual ones only, and what is removed must not depend on that alone. */
function isManual({ SnapshotType }: DBSnapshot | DBClusterSnapshot): boolean {
  return SnapshotType === "manual";
}

function listed(
  { Status = "unknown", SnapshotCreateTime, TagList = [] }: DBSnapshot | DBClusterSnapshot,
  { identifier = "", arn = "", source = "" }: Partial<Record<"identifier" | "arn" | "source", string | undefined>>,
): ListedSnapshot {
  const tags = Object.fromEntries(TagList.map(({ Key = "", Value = "" }) => [Key, Value]));
  return { identifier, arn, source, status: Status, createdAt: SnapshotCreateTime, tags };
}

async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!/SnapshotNotFound/.test((error as Error).name)) throw error;
  }
}

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AccountQuota.html */
async function quotaOf(client: RDSClient, name: string): Promise<{ used: number; max: number } | undefined> {
  const { AccountQuotas = [] } = await client.send(new DescribeAccountAttributesCommand({}));
  const { Used, Max } = AccountQuotas.find(({ AccountQuotaName }) => AccountQuotaName === name) ?? {};
  return Used === undefined || Max === undefined ? undefined : { used: Used, max: Max };
}
