import { type Kind, rdsErrors } from "../errors";
import { isSnapshotIn, listSnapshots, snapshotKey } from "../records";
import { deleteSnapshot, SNAPSHOT_QUOTA } from "../snapshot";
import type { Action, ApiContext } from "./action";
import { describeSnapshot } from "./describe";
import { text } from "./reads";

/** Lists the snapshots of one kind in the region that is asked. A copy is in its own region alone. */
async function snapshotsOf({ cloudDir, region }: ApiContext, kind: Kind) {
  return (await listSnapshots(cloudDir)).filter((each) => each.kind === kind && isSnapshotIn(each, region));
}

function describeSnapshots(kind: Kind, prefix: string): Action {
  return async (context, parameters) => {
    const identifier = text(parameters, `${prefix}SnapshotIdentifier`)?.toLowerCase();
    const source = text(parameters, kind === "instance" ? "DBInstanceIdentifier" : "DBClusterIdentifier");
    const found = (await snapshotsOf(context, kind)).filter(
      (each) =>
        (identifier === undefined || each.identifier === identifier) &&
        (source === undefined || each.source === source.toLowerCase()) &&
        (parameters["SnapshotType"] === undefined || each.snapshotType === parameters["SnapshotType"]),
    );
    if (identifier !== undefined && found.length === 0) throw rdsErrors.snapshotNotFound(kind, identifier);
    return { [`${prefix}Snapshots`]: found.map(describeSnapshot) };
  };
}

function removeSnapshot(kind: Kind, prefix: string): Action {
  return async (context, parameters) => {
    const identifier = (text(parameters, `${prefix}SnapshotIdentifier`) ?? "").toLowerCase();
    const found = (await snapshotsOf(context, kind)).find((each) => each.identifier === identifier);
    if (!found) throw rdsErrors.snapshotNotFound(kind, identifier);
    await deleteSnapshot(context.cloudDir, kind, snapshotKey(found));
    return { [`${prefix}Snapshot`]: { ...describeSnapshot(found), Status: "deleted" } };
  };
}

/** Tells the quotas of manual snapshots, and how much of them is used. RDS has more of them. */
const describeAccount: Action = async (context) => {
  const quotas = { ManualSnapshots: "instance", ManualClusterSnapshots: "cluster" } as const;
  return {
    AccountQuotas: await Promise.all(
      Object.entries(quotas).map(async ([AccountQuotaName, kind]) => {
        const manual = (await snapshotsOf(context, kind)).filter(({ snapshotType }) => snapshotType === "manual");
        return { AccountQuotaName, Used: manual.length, Max: SNAPSHOT_QUOTA };
      }),
    ),
  };
};

/** The actions about snapshots. */
export const snapshotActions: Readonly<Record<string, Action>> = {
  DescribeDBSnapshots: describeSnapshots("instance", "DB"),
  DescribeDBClusterSnapshots: describeSnapshots("cluster", "DBCluster"),
  DeleteDBSnapshot: removeSnapshot("instance", "DB"),
  DeleteDBClusterSnapshot: removeSnapshot("cluster", "DBCluster"),
  DescribeAccountAttributes: describeAccount,
};
