import {
  type DBCluster,
  type DBInstance,
  DescribeDBClustersCommand,
  paginateDescribeDBInstances,
} from "@aws-sdk/client-rds";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { RdsAccess } from "../../by-hand/rds/access";
import { asked } from "../../by-hand/rds/refusals";

/** An instance whose backup is restored. */
export interface InstanceSource {
  readonly kind: "instance";
  readonly identifier: string;
  readonly database: DBInstance;
}

/** A cluster whose backup is restored. */
export interface ClusterSource {
  readonly kind: "cluster";
  readonly identifier: string;
  readonly database: DBCluster;
  /** The cluster's instances, the writer first. */
  readonly members: readonly DBInstance[];
}

/** The database whose backup is restored. */
export type Source = InstanceSource | ClusterSource;

/** Whether it is a cluster whose storage is Aurora's. The other kind is a Multi-AZ DB cluster. */
export function isAurora({ Engine }: Pick<DBCluster, "Engine">): boolean {
  return Engine?.startsWith("aurora") === true;
}

/** Returns how messages name the database. */
export function described(source: Source): string {
  if (source.kind === "instance") return `instance ${source.identifier}`;
  return `${isAurora(source.database) ? "Aurora cluster" : "Multi-AZ DB cluster"} ${source.identifier}`;
}

/**
 * Reads the database of the settings.
 * @throws CommandFailure if RDS doesn't have it or can't be asked, or it is in an account that the settings don't allow
 */
export async function readSource(
  access: RdsAccess,
  { kind, identifier }: Pick<Source, "kind" | "identifier">,
): Promise<Source> {
  const source = kind === "instance" ? await readInstance(access, identifier) : await readCluster(access, identifier);
  refuseAccount(access, source);
  return source;
}

async function readInstance(access: RdsAccess, identifier: string): Promise<Source> {
  const [database] = await instances(access, { DBInstanceIdentifier: identifier });
  if (!database) throw unknownDatabase("instance", identifier);
  if (database.DBClusterIdentifier === undefined) return { kind: "instance", identifier, database };
  throw new CommandFailure(
    EXIT.usage,
    `RDS instance ${identifier} is a part of cluster ${database.DBClusterIdentifier}, whose data can only be restored as a cluster.`,
    undefined,
    `set database.kind to cluster and database.identifier to ${database.DBClusterIdentifier}, then the same command again`,
  );
}

async function readCluster(access: RdsAccess, identifier: string): Promise<Source> {
  const { client } = access;
  const found = await asked(
    `which cluster ${identifier} is`,
    client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
    ["DBClusterNotFoundFault"],
  );
  const database = found?.DBClusters?.[0];
  if (!database) throw unknownDatabase("cluster", identifier);
  const writers = new Set(
    database.DBClusterMembers?.filter((each) => each.IsClusterWriter).map((each) => each.DBInstanceIdentifier),
  );
  const members = await instances(access, { Filters: [{ Name: "db-cluster-id", Values: [identifier] }] });
  const isReader = (each: DBInstance) => (writers.has(each.DBInstanceIdentifier) ? 0 : 1);
  const byName = (a: DBInstance, b: DBInstance) =>
    (a.DBInstanceIdentifier ?? "").localeCompare(b.DBInstanceIdentifier ?? "");
  return {
    ...{ kind: "cluster", identifier, database },
    members: [...members].sort((a, b) => isReader(a) - isReader(b) || byName(a, b)),
  };
}

/** Reads instances; an empty list if there is none of that name. */
export async function instances(
  { client }: Pick<RdsAccess, "client">,
  query: { DBInstanceIdentifier?: string; Filters?: { Name: string; Values: string[] }[] },
): Promise<DBInstance[]> {
  const read = async () => {
    const found: DBInstance[] = [];
    for await (const page of paginateDescribeDBInstances({ client }, query)) found.push(...(page.DBInstances ?? []));
    return found;
  };
  return (await asked("which instances there are", read(), ["DBInstanceNotFoundFault", "DBInstanceNotFound"])) ?? [];
}

function unknownDatabase(kind: Source["kind"], identifier: string): CommandFailure {
  const verb = kind === "instance" ? "describe-db-instances" : "describe-db-clusters";
  return new CommandFailure(
    EXIT.usage,
    `There is no RDS ${kind} ${identifier} in this account and region.`,
    undefined,
    `correct database.identifier or database.kind, or aws:region and aws:profile (aws rds ${verb} lists what is there), then the same command again`,
  );
}

/** Returns the account and the region of a database, by its ARN. */
export function placeOf({ kind, database }: Source): { account: string; region: string } {
  const arn = kind === "instance" ? database.DBInstanceArn : database.DBClusterArn;
  const [, , , region = "", account = ""] = arn?.split(":") ?? [];
  return { account, region };
}

function refuseAccount({ allowed, forbidden }: RdsAccess, source: Source): void {
  const { account } = placeOf(source);
  const refused = allowed?.includes(account) === false || forbidden.includes(account);
  if (!refused) return;
  throw new CommandFailure(
    EXIT.usage,
    `The credentials belong to AWS account ${account}, which aws:allowedAccountIds or aws:forbiddenAccountIds excludes.`,
    undefined,
    "use the credentials of an allowed account (aws:profile, AWS_PROFILE), then the same command again",
  );
}
