import type { Json, Properties } from "../provider";
import { accountId, defaultRegion, instanceAttributes, snapshotAttributes } from "./attributes";
import { type Kind, rdsErrors } from "./errors";
import { actions, authorize } from "./permissions";
import { findInstance, listSnapshots, type Snapshot } from "./records";

type AwsFunction = (cloudDir: string, args: Properties) => Promise<Properties>;

/** The functions (data sources) of this provider. They only read files and start nothing. */
export const functions: Record<string, AwsFunction> = {
  "aws:rds/getSnapshot:getSnapshot": (cloudDir, args) => getSnapshot(cloudDir, "instance", args),
  "aws:rds/getClusterSnapshot:getClusterSnapshot": (cloudDir, args) => getSnapshot(cloudDir, "cluster", args),
  "aws:rds/getInstance:getInstance": async (cloudDir, args) => {
    authorize(cloudDir, actions.instance.describe);
    const identifier = text(args["dbInstanceIdentifier"]);
    const instance = await findInstance(cloudDir, "instance", identifier.toLowerCase());
    if (!instance) {
      const { code, message } = rdsErrors.instanceNotFound("instance", identifier);
      throw new Error(`reading RDS DB Instance (${identifier}): ${code}: ${message}`);
    }
    const {
      identifier: dbInstanceIdentifier,
      instanceClass,
      username,
      ...rest
    } = instanceAttributes(instance, region(args));
    return {
      ...rest,
      id: dbInstanceIdentifier!,
      dbInstanceArn: rest["arn"]!,
      dbInstanceClass: instanceClass!,
      dbInstanceIdentifier: dbInstanceIdentifier!,
      dbInstancePort: rest["port"]!,
      masterUsername: username!,
    };
  },
  "aws:rds/getCluster:getCluster": async (cloudDir, args) => {
    authorize(cloudDir, actions.cluster.describe);
    const identifier = text(args["clusterIdentifier"]);
    const cluster = await findInstance(cloudDir, "cluster", identifier.toLowerCase());
    if (!cluster) {
      const { code, message } = rdsErrors.instanceNotFound("cluster", identifier);
      throw new Error(`reading RDS Cluster (${identifier}): ${code}: ${message}`);
    }
    return { ...instanceAttributes(cluster, region(args)), id: identifier };
  },
  "aws:index/getCallerIdentity:getCallerIdentity": async () => ({
    accountId,
    arn: `arn:aws:iam::${accountId}:user/local`,
    id: accountId,
    userId: "LOCAL",
  }),
  "aws:index/getRegion:getRegion": async (_, args) => ({
    description: "This machine",
    endpoint: "127.0.0.1",
    id: region(args),
    name: region(args),
    region: region(args),
  }),
};

async function getSnapshot(cloudDir: string, kind: Kind, args: Properties): Promise<Properties> {
  authorize(cloudDir, actions[kind].find);
  const [source, identifier] =
    kind === "instance"
      ? ["dbInstanceIdentifier", "dbSnapshotIdentifier"]
      : ["dbClusterIdentifier", "dbClusterSnapshotIdentifier"];
  const wanted = (name: string, value: string) => !args[name] || text(args[name]).toLowerCase() === value;
  const found = (await listSnapshots(cloudDir)).filter(
    (snapshot) =>
      snapshot.kind === kind &&
      wanted(source!, snapshot.source) &&
      wanted(identifier!, snapshot.identifier) &&
      wanted("snapshotType", snapshot.snapshotType) &&
      hasTags(snapshot, (args["tags"] ?? {}) as Record<string, string>),
  );
  if (found.length === 0) {
    throw new Error("Your query returned no results. Please change your search criteria and try again.");
  }
  if (found.length > 1 && args["mostRecent"] !== true) {
    throw new Error("Your query returned more than one result. Please try a more specific search criteria.");
  }
  const snapshot = found.at(-1)!;
  // The time has the format of the real provider: RFC 3339 without fractions of a second.
  const snapshotCreateTime = snapshot.createTime.replace(/\.\d+Z$/, "Z");
  return {
    ...args,
    ...snapshotAttributes(snapshot, region(args)),
    id: snapshot.identifier,
    snapshotCreateTime,
    ...(kind === "instance" ? { originalSnapshotCreateTime: snapshotCreateTime } : {}),
  };
}

function hasTags(snapshot: Snapshot, tags: Record<string, string>): boolean {
  return Object.entries(tags).every(([key, value]) => snapshot.tags[key] === value);
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function region(args: Properties): string {
  return text(args["region"]) || text(args["name"]) || defaultRegion;
}
