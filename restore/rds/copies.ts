import { type DBCluster, type DBInstance, paginateDescribeDBClusters } from "@aws-sdk/client-rds";
import type { RdsAccess } from "../../by-hand/rds/access";
import { asked } from "../../by-hand/rds/refusals";
import type { ListedCopy } from "../target";
import { TAGS, tagOf } from "./copy";
import { instances, type Source } from "./source";

/** A database in RDS, such as a copy that a restore has made. */
export type Copy =
  | { readonly kind: "instance"; readonly name: string; readonly database: DBInstance }
  | { readonly kind: "cluster"; readonly name: string; readonly database: DBCluster };

/** Reads every database of a kind. */
export function databasesOf(access: RdsAccess, kind: Source["kind"]): Promise<Copy[]> {
  return kind === "instance" ? allInstances(access) : allClusters(access);
}

/** Reads every database of a kind that carries the tags of a restore. */
export async function copiesOf(access: RdsAccess, kind: Source["kind"]): Promise<Copy[]> {
  return (await databasesOf(access, kind)).filter(({ database }) => tagOf(database, TAGS.source) !== undefined);
}

async function allInstances(access: RdsAccess): Promise<Copy[]> {
  const found = await instances(access, {});
  // The instances of a cluster have its tags, and are no copies themselves.
  return found
    .filter((each) => each.DBClusterIdentifier === undefined)
    .map((database) => ({ kind: "instance", name: database.DBInstanceIdentifier ?? "", database }));
}

async function allClusters({ client }: RdsAccess): Promise<Copy[]> {
  const read = async () => {
    const found: Copy[] = [];
    for await (const { DBClusters = [] } of paginateDescribeDBClusters({ client }, {}))
      found.push(
        ...DBClusters.map(
          (database): Copy => ({ kind: "cluster", name: database.DBClusterIdentifier ?? "", database }),
        ),
      );
    return found;
  };
  return (await asked("which clusters there are", read())) ?? [];
}

/** Returns the state of a copy in RDS' words. */
export function statusOf(copy: Copy): string {
  return (copy.kind === "instance" ? copy.database.DBInstanceStatus : copy.database.Status) ?? "unknown";
}

/** Returns the time from which on anybody may remove a rehearsal's copy; undefined: it is none. */
function expiryOf(database: Copy["database"]): Date | undefined {
  const text = tagOf(database, TAGS.rehearsal);
  return text === undefined ? undefined : new Date(text);
}

/** Returns a copy as the list shows it. */
export function listed(copy: Copy): ListedCopy {
  const { name, database } = copy;
  return {
    name,
    status: statusOf(copy),
    source: tagOf(database, TAGS.source) ?? "",
    from: tagOf(database, TAGS.from) ?? "",
    createdAt: copy.kind === "instance" ? copy.database.InstanceCreateTime : copy.database.ClusterCreateTime,
    protectedFromDeletion: database.DeletionProtection === true,
    expires: expiryOf(database),
  };
}
