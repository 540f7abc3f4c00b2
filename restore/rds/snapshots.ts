import {
  type DBClusterSnapshot,
  type DBSnapshot,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBSnapshotsCommand,
  paginateDescribeDBClusterSnapshots,
  paginateDescribeDBSnapshots,
} from "@aws-sdk/client-rds";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { RdsAccess } from "../../by-hand/rds/access";
import { asked } from "../../by-hand/rds/refusals";
import type { Source } from "./source";

/** RDS' description of a snapshot. */
export type Snapshot = DBSnapshot | DBClusterSnapshot;

/** A snapshot with the name by which it is restored. */
interface NamedSnapshot {
  readonly identifier: string;
  readonly snapshot: Snapshot;
}

/** The tags by which the snapshots of a stack are found. */
export interface StackTags {
  readonly project: string;
  readonly name: string;
}

/**
 * Reads a snapshot of the kind that fits the source.
 * @throws CommandFailure if there is none of that name, or it can't be restored
 */
export async function namedSnapshot(access: RdsAccess, source: Source, identifier: string): Promise<NamedSnapshot> {
  const { client } = access;
  const what = `what snapshot ${identifier} is`;
  const snapshot =
    source.kind === "instance"
      ? (
          await asked(what, client.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: identifier })), [
            "DBSnapshotNotFoundFault",
            "DBSnapshotNotFound",
          ])
        )?.DBSnapshots?.[0]
      : (
          await asked(
            what,
            client.send(new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: identifier })),
            ["DBClusterSnapshotNotFoundFault"],
          )
        )?.DBClusterSnapshots?.[0];
  if (!snapshot)
    throw new CommandFailure(
      EXIT.usage,
      `There is no snapshot ${identifier} of ${source.kind === "instance" ? "an instance" : "a cluster"} in this account and region.`,
      undefined,
      `aws rds ${source.kind === "instance" ? "describe-db-snapshots --db-instance-identifier" : "describe-db-cluster-snapshots --db-cluster-identifier"} ${source.identifier}`,
    );
  if (snapshot.Status === "available") return { identifier, snapshot };
  throw new CommandFailure(
    EXIT.usage,
    `Snapshot ${identifier} is "${snapshot.Status}", not "available".`,
    undefined,
    snapshot.Status === "failed"
      ? "the same command with --to and another snapshot"
      : "when it is available, the same command again",
  );
}

/** Returns the newest available snapshot that a release of the stack has taken of this database. */
export async function newestSnapshot(
  { client }: RdsAccess,
  { kind, identifier }: Source,
  { project, name }: StackTags,
): Promise<NamedSnapshot | undefined> {
  const read = async () => {
    const found: NamedSnapshot[] = [];
    if (kind === "instance")
      for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots(
        { client },
        { DBInstanceIdentifier: identifier, SnapshotType: "manual" },
      ))
        found.push(...DBSnapshots.map((snapshot) => ({ identifier: snapshot.DBSnapshotIdentifier ?? "", snapshot })));
    else
      for await (const { DBClusterSnapshots = [] } of paginateDescribeDBClusterSnapshots(
        { client },
        { DBClusterIdentifier: identifier, SnapshotType: "manual" },
      ))
        found.push(
          ...DBClusterSnapshots.map((snapshot) => ({
            identifier: snapshot.DBClusterSnapshotIdentifier ?? "",
            snapshot,
          })),
        );
    return found;
  };
  const all = (await asked("which snapshots there are", read())) ?? [];
  const tagged = ({ snapshot }: NamedSnapshot) => {
    const tag = (key: string) => snapshot.TagList?.find((each) => each.Key === key)?.Value;
    return tag("project") === project && tag("stack") === name && snapshot.Status === "available";
  };
  const taken = ({ snapshot }: NamedSnapshot) => snapshot.SnapshotCreateTime?.getTime() ?? 0;
  return all.filter(tagged).sort((a, b) => taken(b) - taken(a))[0];
}

/** Whether a database and its snapshot have the same major version of the engine, on which parameter groups depend. */
export function sameMajor(
  { EngineVersion: database = "" }: { EngineVersion?: string | undefined },
  { EngineVersion: snapshot = "" }: { EngineVersion?: string | undefined },
): boolean {
  return database.split(".")[0] === snapshot.split(".")[0];
}
