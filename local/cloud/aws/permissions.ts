import path from "node:path";
import { readJson } from "../../../text/atomic";
import { accountId } from "./attributes";
import { type Kind, RdsError } from "./errors";

/**
 * The IAM actions that the real provider needs for each operation (terraform-provider-aws, rds/snapshot.go,
 * cluster_snapshot.go and their data sources). A creation ends with reading the snapshot and its attributes; the tags
 * are part of the snapshot.
 */
export const actions = {
  instance: {
    describe: "DescribeDBInstances",
    create: "CreateDBSnapshot",
    copy: "CopyDBSnapshot",
    find: "DescribeDBSnapshots",
    attributes: "DescribeDBSnapshotAttributes",
    share: "ModifyDBSnapshotAttribute",
    delete: "DeleteDBSnapshot",
  },
  cluster: {
    describe: "DescribeDBClusters",
    create: "CreateDBClusterSnapshot",
    copy: "CopyDBClusterSnapshot",
    find: "DescribeDBClusterSnapshots",
    attributes: "DescribeDBClusterSnapshotAttributes",
    share: "ModifyDBClusterSnapshotAttribute",
    delete: "DeleteDBClusterSnapshot",
  },
} as const satisfies Record<Kind, Record<string, string>>;

export const TAG = "AddTagsToResource";

/** All actions that the program's role needs, for each function and resource that a program uses. */
export const needed: Record<string, readonly string[]> = {
  "aws:rds/getInstance:getInstance": [actions.instance.describe],
  "aws:rds/getCluster:getCluster": [actions.cluster.describe],
  "aws:rds/getSnapshot:getSnapshot": [actions.instance.find],
  "aws:rds/getClusterSnapshot:getClusterSnapshot": [actions.cluster.find],
  "aws:rds/snapshot:Snapshot": creation("instance"),
  "aws:rds/clusterSnapshot:ClusterSnapshot": creation("cluster"),
  "aws:rds/snapshotCopy:SnapshotCopy": creation("instance", "copy"),
  "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy": creation("cluster", "copy"),
};

function creation(kind: Kind, how: "create" | "copy" = "create"): string[] {
  const { [how]: create, find, attributes } = actions[kind];
  return [create, TAG, find, attributes];
}

/**
 * Refuses an action that is not granted to the role of this cloud. CLOUDDIR/granted.json contains the granted ones as a
 * JSON array such as `["rds:CreateDBSnapshot"]`. Without that file every action is granted.
 * @throws RdsError with the message of AWS
 */
export function authorize(cloudDir: string, action: string): void {
  const file = path.join(cloudDir, "granted.json");
  const granted = readJson<unknown>(file);
  if (granted === undefined) return;
  if (!Array.isArray(granted)) throw new Error(`${file} is not a JSON array of IAM actions. Correct or remove it.`);
  if (granted.includes(`rds:${action}`)) return;
  throw new RdsError(
    "AccessDenied",
    `User: arn:aws:iam::${accountId}:user/local is not authorized to perform: rds:${action} because no identity-based policy allows the rds:${action} action`,
  );
}
