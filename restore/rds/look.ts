import { type DBCluster, type DBInstance, DescribeDBClustersCommand } from "@aws-sdk/client-rds";
import type { RdsAccess } from "../../by-hand/rds/access";
import { asked } from "../../by-hand/rds/refusals";
import { instances } from "./source";

/** A database with its state. */
export interface Seen<T> {
  readonly status: string;
  readonly database: T;
}

/** Looks at an instance; undefined if there is none of that name. */
export async function lookAtInstance(access: RdsAccess, identifier: string): Promise<Seen<DBInstance> | undefined> {
  const [database] = await instances(access, { DBInstanceIdentifier: identifier });
  return database && { status: database.DBInstanceStatus ?? "", database };
}

/** Looks at a cluster; undefined if there is none of that name. */
export async function lookAtCluster({ client }: RdsAccess, identifier: string): Promise<Seen<DBCluster> | undefined> {
  const found = await asked(
    `how cluster ${identifier} is`,
    client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
    ["DBClusterNotFoundFault"],
  );
  const database = found?.DBClusters?.[0];
  return database && { status: database.Status ?? "", database };
}
