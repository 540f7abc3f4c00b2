import { type Properties, UNKNOWN } from "../provider";
import type { Kind } from "./errors";
import type { Instance, Snapshot } from "./records";

/** The account id of all resources here. It has the format of a real id but is not one. */
export const accountId = "000000000000";
export const defaultRegion = "xx-local-1";

type ArnKind = "db" | "cluster" | "snapshot" | "cluster-snapshot";

function arn(what: ArnKind, identifier: string, region = defaultRegion): string {
  return `arn:aws:rds:${region}:${accountId}:${what}:${identifier}`;
}

function engineOf(kind: Kind): string {
  return kind === "instance" ? "postgres" : "aurora-postgresql";
}

/** The attributes of a snapshot that both the resource and the function return. */
export function snapshotAttributes(snapshot: Snapshot, region = defaultRegion): Properties {
  const { kind, identifier, instance, copy } = snapshot;
  const kmsKeyId = copy ? (copy.kmsKeyId ?? "") : (instance.kmsKeyId ?? "");
  const encrypted = copy ? copy.kmsKeyId !== undefined : instance.encrypted;
  const common: Properties = {
    allocatedStorage: allocatedStorage(kind),
    engine: engineOf(kind),
    engineVersion: instance.engineVersion,
    kmsKeyId,
    licenseModel: "postgresql-license",
    port: instance.port,
    region,
    snapshotType: snapshot.snapshotType,
    status: snapshot.status,
    tags: snapshot.tags,
    vpcId: "",
  };
  if (kind === "cluster") {
    return {
      ...common,
      availabilityZones: [`${region}a`],
      dbClusterIdentifier: snapshot.source,
      dbClusterSnapshotArn: arn("cluster-snapshot", identifier, region),
      dbClusterSnapshotIdentifier: identifier,
      sourceDbClusterSnapshotArn: copy?.source ?? "",
      storageEncrypted: encrypted,
    };
  }
  return {
    ...common,
    availabilityZone: `${region}a`,
    dbInstanceIdentifier: snapshot.source,
    dbSnapshotArn: arn("snapshot", identifier, region),
    dbSnapshotIdentifier: identifier,
    encrypted,
    iops: 0,
    optionGroupName: "default:postgres-18",
    sourceDbSnapshotIdentifier: copy?.source ?? "",
    sourceRegion: copy?.source.split(":")[3] ?? "",
    storageType: "gp3",
  };
}

/** The attributes for the preview of a creation: all are unknown. */
export function unknownSnapshotAttributes(kind: Kind): Properties {
  const empty: Snapshot = {
    identifier: "",
    kind,
    status: "creating",
    snapshotType: "manual",
    source: "",
    createTime: "",
    progress: 0,
    size: 0,
    tags: {},
    sharedAccounts: [],
    instance: {
      identifier: "",
      kind,
      database: "",
      port: 0,
      engineVersion: "",
      encrypted: false,
      createTime: "",
      ready: true,
    },
  };
  return Object.fromEntries(Object.keys(snapshotAttributes(empty)).map((name) => [name, UNKNOWN]));
}

/** The attributes of `aws.rds.Instance` and `aws.rds.Cluster` that the functions of the same names return too. */
export function instanceAttributes(instance: Instance, region = defaultRegion): Properties {
  const { kind, identifier, port, host } = instance;
  const common: Properties = {
    allocatedStorage: allocatedStorage(kind),
    arn: arn(kind === "instance" ? "db" : "cluster", identifier, region),
    backupRetentionPeriod: 0,
    deletionProtection: false,
    engine: engineOf(kind),
    engineVersion: instance.engineVersion,
    engineVersionActual: instance.engineVersion,
    hostedZoneId: "ZLOCAL",
    kmsKeyId: instance.kmsKeyId ?? "",
    networkType: "IPV4",
    port,
    region,
    storageEncrypted: instance.encrypted,
    storageType: kind === "instance" ? "gp3" : "aurora",
    tags: {},
    tagsAll: {},
    vpcSecurityGroupIds: [],
  };
  if (kind === "cluster") {
    return {
      ...common,
      availabilityZones: [`${region}a`],
      clusterIdentifier: identifier,
      clusterMembers: [`${identifier}-1`],
      clusterResourceId: `cluster-${resourceId(identifier)}`,
      databaseName: instance.database,
      endpoint: host,
      engineMode: "provisioned",
      masterUsername: "postgres",
      readerEndpoint: host,
    };
  }
  return {
    ...common,
    address: host,
    availabilityZone: `${region}a`,
    dbName: instance.database,
    endpoint: `${host}:${port}`,
    identifier,
    instanceClass: "db.t4g.micro",
    multiAz: false,
    publiclyAccessible: false,
    resourceId: `db-${resourceId(identifier)}`,
    status: instance.status,
    username: "postgres",
  };
}

/** The storage in GiB: the smallest that RDS offers for an instance. Aurora grows by itself and reports 1. */
function allocatedStorage(kind: Kind): number {
  return kind === "instance" ? 20 : 1;
}

/** The resource id. It differs from the identifier, as on AWS, so that confusing the two shows up here too. */
function resourceId(identifier: string): string {
  return Buffer.from(identifier).toString("hex").toUpperCase().padEnd(26, "0").slice(0, 26);
}
