import type { Json, Properties } from "../provider";
import { accountId, defaultRegion, instanceAttributes, snapshotAttributes } from "./attributes";
import { type Kind, rdsErrors } from "./errors";
import { actions, authorize } from "./permissions";
import { findInstance, type Instance, isInRegion, isSnapshotIn, listSnapshots, type Snapshot } from "./records";

type AwsFunction = (cloudDir: string, args: Properties, own: string | undefined) => Promise<Properties>;

/**
 * The functions (data sources) of this provider. They only read files and start nothing. Each gets the cloud's
 * directory, its arguments, and the region of the provider, which an argument `region` replaces.
 */
export const functions: Record<string, AwsFunction> = {
  "aws:rds/getSnapshot:getSnapshot": (cloudDir, args, own) => getSnapshot(cloudDir, "instance", args, own),
  "aws:rds/getClusterSnapshot:getClusterSnapshot": (cloudDir, args, own) => getSnapshot(cloudDir, "cluster", args, own),
  "aws:rds/getInstance:getInstance": async (cloudDir, args, own) => {
    authorize(cloudDir, actions.instance.describe);
    const identifier = text(args["dbInstanceIdentifier"]);
    const instance = await findInstance(cloudDir, "instance", identifier.toLowerCase());
    if (!instance || !isInRegion(instance, asked(args, own))) {
      const { code, message } = rdsErrors.instanceNotFound("instance", identifier);
      throw new Error(`reading RDS DB Instance (${identifier}): ${code}: ${message}`);
    }
    return describedInstance(instance, region(args, own));
  },
  "aws:rds/getCluster:getCluster": async (cloudDir, args, own) => {
    authorize(cloudDir, actions.cluster.describe);
    const identifier = text(args["clusterIdentifier"]);
    const cluster = await findInstance(cloudDir, "cluster", identifier.toLowerCase());
    if (!cluster || !isInRegion(cluster, asked(args, own))) {
      const { code, message } = rdsErrors.instanceNotFound("cluster", identifier);
      throw new Error(`reading RDS Cluster (${identifier}): ${code}: ${message}`);
    }
    return describedCluster(cluster, region(args, own));
  },
  "aws:index/getCallerIdentity:getCallerIdentity": async () => ({
    accountId,
    arn: `arn:aws:iam::${accountId}:user/local`,
    id: accountId,
    userId: "LOCAL",
  }),
  "aws:index/getRegion:getRegion": async (_, args, own) => ({
    description: "This machine",
    endpoint: "127.0.0.1",
    id: region(args, own),
    name: region(args, own),
    region: region(args, own),
  }),
};

/** What `getInstance` or `getCluster` would return of an instance that is still to be made. Its port is 5432. */
export function plannedInstance(wanted: Pick<Instance, "identifier" | "kind" | "database" | "region">): Properties {
  const instance: Instance = {
    ...wanted,
    ...{ port: 5432, engineVersion: "", encrypted: false, createTime: "", ready: false },
    ...{ status: "creating", host: "127.0.0.1", dataDirectory: "" },
  };
  const place = wanted.region ?? defaultRegion;
  return wanted.kind === "instance" ? describedInstance(instance, place) : describedCluster(instance, place);
}

/** What `getInstance` returns of an instance. */
function describedInstance(instance: Instance, region: string): Properties {
  const { identifier, instanceClass, username, ...rest } = instanceAttributes(instance, region);
  return {
    ...rest,
    id: identifier!,
    dbInstanceArn: rest["arn"]!,
    dbInstanceClass: instanceClass!,
    dbInstanceIdentifier: identifier!,
    dbInstancePort: rest["port"]!,
    masterUsername: username!,
  };
}

/** What `getCluster` returns of a cluster. */
function describedCluster(cluster: Instance, region: string): Properties {
  return { ...instanceAttributes(cluster, region), id: cluster.identifier };
}

async function getSnapshot(
  cloudDir: string,
  kind: Kind,
  args: Properties,
  own: string | undefined,
): Promise<Properties> {
  authorize(cloudDir, actions[kind].find);
  const [source, identifier] =
    kind === "instance"
      ? ["dbInstanceIdentifier", "dbSnapshotIdentifier"]
      : ["dbClusterIdentifier", "dbClusterSnapshotIdentifier"];
  const wanted = (name: string, value: string) => !args[name] || text(args[name]).toLowerCase() === value;
  const found = (await listSnapshots(cloudDir)).filter(
    (snapshot) =>
      snapshot.kind === kind &&
      isSnapshotIn(snapshot, asked(args, own)) &&
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
    ...snapshotAttributes(snapshot, region(args, own)),
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

/** The region that a call names itself or by its provider; undefined if neither does. */
function asked(args: Properties, own: string | undefined): string | undefined {
  return text(args["region"]) || text(args["name"]) || own;
}

function region(args: Properties, own: string | undefined): string {
  return asked(args, own) ?? defaultRegion;
}
