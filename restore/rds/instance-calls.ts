import type {
  DBCluster,
  DBInstance,
  ModifyDBInstanceMessage,
  RestoreDBInstanceFromDBSnapshotMessage,
  RestoreDBInstanceToPointInTimeMessage,
  Tag,
} from "@aws-sdk/client-rds";
import { defined } from "../../by-hand/defined";
import type { RestorePoint } from "./restore-point";
import { sameMajor } from "./snapshots";

/** The names of a new instance, and what it is made of. */
export interface InstanceCopyArgs {
  readonly source: DBInstance;
  readonly identifier: string;
  readonly point: RestorePoint;
  readonly tags: Tag[];
}

/**
 * Returns the parameters of RestoreDBInstanceFromDBSnapshot. What is left out would get a default of RDS that has
 * nothing to do with the source: the VPC's default security group, the default parameter group, one zone, no login by
 * IAM, no protection.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html
 */
export function fromSnapshot(
  args: InstanceCopyArgs & { point: Extract<RestorePoint, { kind: "snapshot" }> },
): RestoreDBInstanceFromDBSnapshotMessage {
  const { source, identifier, point, tags } = args;
  return {
    DBInstanceIdentifier: identifier,
    DBSnapshotIdentifier: point.identifier,
    ...settings(source),
    ...defined(storage(source, point.snapshot.AllocatedStorage)),
    ...defined(sameMajor(source, point.snapshot) ? groups(source) : {}),
    Tags: tags,
  };
}

/**
 * Returns the parameters of RestoreDBInstanceToPointInTime.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
 */
export function toPointInTime(
  args: InstanceCopyArgs & { point: Extract<RestorePoint, { kind: "time" }> },
): RestoreDBInstanceToPointInTimeMessage {
  const { source, identifier, point, tags } = args;
  return {
    ...defined({ SourceDBInstanceIdentifier: source.DBInstanceIdentifier }),
    TargetDBInstanceIdentifier: identifier,
    RestoreTime: point.at,
    ...settings(source),
    ...defined({ ...storage(source), MaxAllocatedStorage: source.MaxAllocatedStorage, ...groups(source) }),
    Tags: tags,
  };
}

/**
 * Returns the parameters of the ModifyDBInstance after it, for what a restore doesn't take; undefined if the source has
 * nothing of that.
 */
export function afterRestore({ source, identifier, point }: InstanceCopyArgs): ModifyDBInstanceMessage | undefined {
  const later = defined({
    MaxAllocatedStorage: point.kind === "snapshot" ? source.MaxAllocatedStorage : undefined,
    // RDS refuses windows that overlap, so both are set in one call, and not one beside the other's default.
    PreferredBackupWindow: source.PreferredBackupWindow,
    PreferredMaintenanceWindow: source.PreferredMaintenanceWindow,
    ...monitoring(source),
    DatabaseInsightsMode: source.DatabaseInsightsMode === "advanced" ? source.DatabaseInsightsMode : undefined,
  });
  if (Object.keys(later).length === 0) return undefined;
  return { DBInstanceIdentifier: identifier, ...later, ApplyImmediately: true };
}

/** Returns what both calls of a restore take alike. */
function settings(source: DBInstance) {
  const [domain] = source.DomainMemberships ?? [];
  return defined({
    DBInstanceClass: source.DBInstanceClass,
    Port: source.Endpoint?.Port,
    DBSubnetGroupName: source.DBSubnetGroup?.DBSubnetGroupName,
    VpcSecurityGroupIds: idsOf(source),
    MultiAZ: source.MultiAZ,
    // RDS refuses a zone for an instance that is in several.
    AvailabilityZone: source.MultiAZ ? undefined : source.AvailabilityZone,
    PubliclyAccessible: source.PubliclyAccessible,
    AutoMinorVersionUpgrade: source.AutoMinorVersionUpgrade,
    CopyTagsToSnapshot: source.CopyTagsToSnapshot,
    EnableIAMDatabaseAuthentication: source.IAMDatabaseAuthenticationEnabled,
    EnableCloudwatchLogsExports: someOf(source.EnabledCloudwatchLogsExports),
    DeletionProtection: source.DeletionProtection,
    BackupRetentionPeriod: source.BackupRetentionPeriod,
    CACertificateIdentifier: source.CACertificateIdentifier,
    NetworkType: source.NetworkType,
    EngineLifecycleSupport: source.EngineLifecycleSupport,
    DedicatedLogVolume: source.DedicatedLogVolume || undefined,
    ProcessorFeatures: someOf(source.ProcessorFeatures),
    EnableCustomerOwnedIp: source.CustomerOwnedIpEnabled || undefined,
    Domain: domain?.Domain,
    DomainIAMRoleName: domain?.IAMRoleName,
  });
}

/** The GiB from which gp3 of PostgreSQL takes IOPS and throughput (RDS user guide, "gp3 storage"). Below, RDS refuses them. */
const GP3_STRIPED_GIB = 400;

/**
 * Returns the storage.
 * @param least the GiB of the snapshot, below which RDS refuses the size
 */
function storage({ StorageType, Iops, StorageThroughput, AllocatedStorage = 0 }: DBInstance, least = 0) {
  const provisioned = StorageType?.startsWith("io") || (StorageType === "gp3" && AllocatedStorage >= GP3_STRIPED_GIB);
  return {
    StorageType,
    AllocatedStorage: AllocatedStorage > least ? AllocatedStorage : undefined,
    Iops: provisioned ? Iops : undefined,
    StorageThroughput: provisioned && StorageType === "gp3" ? StorageThroughput : undefined,
  };
}

/** Returns the groups that belong to a major version of the engine. */
function groups(source: DBInstance) {
  return {
    DBParameterGroupName: source.DBParameterGroups?.[0]?.DBParameterGroupName,
    OptionGroupName: source.OptionGroupMemberships?.[0]?.OptionGroupName,
  };
}

/** The parameters of Enhanced Monitoring and Performance Insights. */
type Watched =
  | "MonitoringInterval"
  | "MonitoringRoleArn"
  | "PerformanceInsightsEnabled"
  | "PerformanceInsightsKMSKeyId"
  | "PerformanceInsightsRetentionPeriod";

/** Returns Enhanced Monitoring and Performance Insights, if they are on. */
export function monitoring(source: Pick<DBInstance & DBCluster, Watched>) {
  const watched = (source.MonitoringInterval ?? 0) > 0;
  const insights = source.PerformanceInsightsEnabled === true;
  return {
    MonitoringInterval: watched ? source.MonitoringInterval : undefined,
    MonitoringRoleArn: watched ? source.MonitoringRoleArn : undefined,
    EnablePerformanceInsights: insights || undefined,
    PerformanceInsightsKMSKeyId: insights ? source.PerformanceInsightsKMSKeyId : undefined,
    PerformanceInsightsRetentionPeriod: insights ? source.PerformanceInsightsRetentionPeriod : undefined,
  };
}

/** Returns the ids of the security groups; undefined if there are none. */
export function idsOf(source: { VpcSecurityGroups?: { VpcSecurityGroupId?: string | undefined }[] | undefined }) {
  return someOf(source.VpcSecurityGroups?.flatMap(({ VpcSecurityGroupId: id }) => id ?? []));
}

/** Returns a list unless it is empty. */
export function someOf<T>(list: T[] | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}
