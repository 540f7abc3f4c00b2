import type { Json } from "../../provider";
import { accountId, defaultRegion } from "../attributes";
import type { Instance, Member, Snapshot } from "../records";
import { membersOf, settingsIn } from "./members";
import type { Settings } from "./translation";

/** Returns an ARN of the local account. */
function arnOf(what: "db" | "cluster" | "snapshot" | "cluster-snapshot", identifier: string): string {
  return `arn:aws:rds:${defaultRegion}:${accountId}:${what}:${identifier}`;
}

/** Returns RDS' id of a resource, which differs from its identifier. */
function resourceId(prefix: "db" | "cluster", identifier: string): string {
  return `${prefix}-${Buffer.from(identifier).toString("hex").toUpperCase().padEnd(26, "0").slice(0, 26)}`;
}

/** Describes an instance as DescribeDBInstances does. */
export function describeInstance(instance: Instance, latestRestorable: Date | undefined): Settings {
  const { identifier, status, host, port, createTime, engineVersion, database } = instance;
  return {
    ...{ DBInstanceIdentifier: identifier, DBInstanceStatus: status, Engine: "postgres", EngineVersion: engineVersion },
    ...{ DBName: database, MasterUsername: "postgres", LicenseModel: "postgresql-license" },
    ...{ InstanceCreateTime: createTime, DBInstanceArn: arnOf("db", identifier) },
    ...{ DbiResourceId: resourceId("db", identifier), StorageEncrypted: instance.encrypted, DbInstancePort: 0 },
    // Like RDS, an instance that is being made has no address yet.
    ...(port === 0 ? {} : { Endpoint: { Address: host, Port: port, HostedZoneId: "ZLOCAL" } }),
    ...(latestRestorable === undefined ? {} : { LatestRestorableTime: latestRestorable.toISOString() }),
    PendingModifiedValues: {},
    ...settingsIn(instance),
  };
}

/** Describes a cluster as DescribeDBClusters does. */
export function describeCluster(cluster: Instance, restorable: { earliest: Date; latest: Date } | undefined): Settings {
  const { identifier, status, host, port, createTime, engineVersion, database } = cluster;
  const members = membersOf(cluster);
  return {
    ...{ DBClusterIdentifier: identifier, Status: status, Engine: engineOf(cluster), EngineVersion: engineVersion },
    ...{ DatabaseName: database, MasterUsername: "postgres", EngineMode: "provisioned", Endpoint: host, Port: port },
    ...{ ReaderEndpoint: host, ClusterCreateTime: createTime, DBClusterArn: arnOf("cluster", identifier) },
    ...{ DbClusterResourceId: resourceId("cluster", identifier), StorageEncrypted: cluster.encrypted },
    ...(restorable === undefined
      ? {}
      : {
          EarliestRestorableTime: restorable.earliest.toISOString(),
          LatestRestorableTime: restorable.latest.toISOString(),
        }),
    DBClusterMembers: members.map(({ identifier: name, settings }, index) => ({
      ...{ DBInstanceIdentifier: name, IsClusterWriter: index === 0, DBClusterParameterGroupStatus: "in-sync" },
      PromotionTier: settings["PromotionTier"] ?? 1,
    })),
    ...settingsIn(cluster),
  };
}

/** The engine of a cluster: Aurora's, or the one of a Multi-AZ DB cluster. */
function engineOf(cluster: Pick<Instance, "settings">): Json {
  return cluster.settings?.["Engine"] ?? "aurora-postgresql";
}

/** Describes an instance of a cluster as DescribeDBInstances does. */
export function describeMember(cluster: Instance, { identifier, createTime, ready, settings }: Member): Settings {
  const { host, port, engineVersion, database } = cluster;
  return {
    ...{ DBInstanceIdentifier: identifier, DBInstanceStatus: ready ? "available" : "creating" },
    ...{ Engine: engineOf(cluster), EngineVersion: engineVersion, DBName: database, MasterUsername: "postgres" },
    ...{ DBClusterIdentifier: cluster.identifier, InstanceCreateTime: createTime },
    ...{ DBInstanceArn: arnOf("db", identifier), DbiResourceId: resourceId("db", identifier) },
    ...{ StorageEncrypted: cluster.encrypted, StorageType: "aurora", PendingModifiedValues: {} },
    ...(ready ? { Endpoint: { Address: host, Port: port, HostedZoneId: "ZLOCAL" } } : {}),
    ...settings,
  };
}

/** Describes a snapshot as DescribeDBSnapshots or DescribeDBClusterSnapshots does. */
export function describeSnapshot({ kind, identifier, source, ...snapshot }: Snapshot): Settings {
  const { status, createTime, progress, snapshotType, tags, instance } = snapshot;
  const settings = settingsIn(instance);
  const common = {
    ...{ SnapshotCreateTime: createTime, Status: status, PercentProgress: progress, SnapshotType: snapshotType },
    ...{ EngineVersion: instance.engineVersion, Port: instance.port, MasterUsername: "postgres" },
    AllocatedStorage: settings["AllocatedStorage"] ?? 1,
    TagList: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
  return kind === "instance"
    ? {
        ...{ DBSnapshotIdentifier: identifier, DBInstanceIdentifier: source, Engine: "postgres", ...common },
        ...{ DBSnapshotArn: arnOf("snapshot", identifier), Encrypted: instance.encrypted },
        StorageType: settings["StorageType"] ?? "gp3",
      }
    : {
        ...{ DBClusterSnapshotIdentifier: identifier, DBClusterIdentifier: source, Engine: engineOf(instance) },
        ...{ ...common, DBClusterSnapshotArn: arnOf("cluster-snapshot", identifier) },
        StorageEncrypted: instance.encrypted,
      };
}
