import type {
  CreateDBInstanceMessage,
  DBCluster,
  DBInstance,
  ModifyDBClusterMessage,
  RestoreDBClusterFromSnapshotMessage,
  RestoreDBClusterToPointInTimeMessage,
  Tag,
} from "@aws-sdk/client-rds";
import { defined } from "../../by-hand/defined";
import { idsOf, monitoring, someOf } from "./instance-calls";
import type { RestorePoint } from "./restore-point";
import { sameMajor } from "./snapshots";
import { isAurora } from "./source";

/** The name of a new cluster, and what it is made of. */
export interface ClusterCopyArgs {
  readonly source: DBCluster;
  readonly identifier: string;
  readonly point: RestorePoint;
  readonly tags: Tag[];
}

/**
 * Returns the parameters of RestoreDBClusterFromSnapshot. The engine's version is the snapshot's; without it RDS takes
 * the default version of the region.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterFromSnapshot.html
 */
export function clusterFromSnapshot(
  args: ClusterCopyArgs & { point: Extract<RestorePoint, { kind: "snapshot" }> },
): RestoreDBClusterFromSnapshotMessage {
  const { source, identifier, point, tags } = args;
  return {
    DBClusterIdentifier: identifier,
    SnapshotIdentifier: point.identifier,
    Engine: source.Engine,
    ...defined({ EngineVersion: point.snapshot.EngineVersion }),
    ...settings(source),
    ...(sameMajor(source, point.snapshot) ? parameterGroup(source) : {}),
    Tags: tags,
  };
}

/**
 * Returns the parameters of RestoreDBClusterToPointInTime.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterToPointInTime.html
 */
export function clusterToPointInTime(
  args: ClusterCopyArgs & { point: Extract<RestorePoint, { kind: "time" }> },
): RestoreDBClusterToPointInTimeMessage {
  const { source, identifier, point, tags } = args;
  return {
    ...defined({ SourceDBClusterIdentifier: source.DBClusterIdentifier }),
    DBClusterIdentifier: identifier,
    RestoreToTime: point.at,
    ...settings(source),
    ...parameterGroup(source),
    Tags: tags,
  };
}

function parameterGroup({ DBClusterParameterGroup }: DBCluster) {
  return defined({ DBClusterParameterGroupName: DBClusterParameterGroup });
}

/** Returns what both calls of a restore take alike. */
function settings(source: DBCluster) {
  const [domain] = source.DomainMemberships ?? [];
  return defined({
    Port: source.Port,
    DBSubnetGroupName: source.DBSubnetGroup,
    VpcSecurityGroupIds: idsOf(source),
    KmsKeyId: source.StorageEncrypted ? source.KmsKeyId : undefined,
    EnableIAMDatabaseAuthentication: source.IAMDatabaseAuthenticationEnabled,
    EnableCloudwatchLogsExports: someOf(source.EnabledCloudwatchLogsExports),
    DeletionProtection: source.DeletionProtection,
    CopyTagsToSnapshot: source.CopyTagsToSnapshot,
    BackupRetentionPeriod: source.BackupRetentionPeriod,
    EngineLifecycleSupport: source.EngineLifecycleSupport,
    ...(isAurora(source) ? auroraSettings(source) : multiAzSettings(source)),
    Domain: domain?.Domain,
    DomainIAMRoleName: domain?.IAMRoleName,
  });
}

/** Returns what only Aurora takes. Its instances are made one by one, and have their own settings. */
function auroraSettings(source: DBCluster) {
  const scaling = source.ServerlessV2ScalingConfiguration;
  return {
    // The standard storage is left out, because RDS doesn't describe it for every cluster.
    StorageType: source.StorageType === "aurora-iopt1" ? source.StorageType : undefined,
    NetworkType: source.NetworkType,
    ServerlessV2ScalingConfiguration:
      scaling &&
      defined({
        MinCapacity: scaling.MinCapacity,
        MaxCapacity: scaling.MaxCapacity,
        SecondsUntilAutoPause: scaling.SecondsUntilAutoPause,
      }),
    AssociatedRoles: someOf(
      source.AssociatedRoles?.flatMap(({ RoleArn, FeatureName }) =>
        RoleArn === undefined ? [] : { RoleArn, ...defined({ FeatureName: FeatureName || undefined }) },
      ),
    ),
  };
}

/** Returns what only a Multi-AZ DB cluster takes. RDS makes its three instances by itself. */
function multiAzSettings(source: DBCluster) {
  return {
    DBClusterInstanceClass: source.DBClusterInstanceClass,
    StorageType: source.StorageType,
    Iops: source.Iops,
    PubliclyAccessible: source.PubliclyAccessible,
    ...monitoring(source),
  };
}

/** Returns the parameters of CreateDBInstance for one instance of an Aurora cluster, like one of the source's. */
export function memberOf(
  cluster: { readonly identifier: string; readonly engine: string | undefined; readonly sameMajor: boolean },
  member: DBInstance,
  identifier: string,
  tags: Tag[],
): CreateDBInstanceMessage {
  return {
    DBInstanceIdentifier: identifier,
    DBClusterIdentifier: cluster.identifier,
    DBInstanceClass: member.DBInstanceClass,
    Engine: cluster.engine,
    ...defined({
      DBParameterGroupName: cluster.sameMajor ? member.DBParameterGroups?.[0]?.DBParameterGroupName : undefined,
      PromotionTier: member.PromotionTier,
      AvailabilityZone: member.AvailabilityZone,
      PubliclyAccessible: member.PubliclyAccessible,
      AutoMinorVersionUpgrade: member.AutoMinorVersionUpgrade,
      CACertificateIdentifier: member.CACertificateIdentifier,
      PreferredMaintenanceWindow: member.PreferredMaintenanceWindow,
      ...monitoring(member),
    }),
    Tags: tags,
  };
}

/**
 * Returns the parameters of the ModifyDBCluster after it, for what a restore doesn't take; undefined if the source has
 * nothing of that.
 */
export function afterClusterRestore(args: ClusterCopyArgs): ModifyDBClusterMessage | undefined {
  const { source, identifier, point } = args;
  const least = point.kind === "snapshot" ? point.snapshot.AllocatedStorage : source.AllocatedStorage;
  const larger = (source.AllocatedStorage ?? 0) > (least ?? 0);
  const later = defined({
    // RDS refuses windows that overlap, so both are set in one call, and not one beside the other's default.
    PreferredBackupWindow: source.PreferredBackupWindow,
    PreferredMaintenanceWindow: source.PreferredMaintenanceWindow,
    ...(isAurora(source)
      ? {
          EnableLocalWriteForwarding: source.LocalWriteForwardingStatus === "enabled" || undefined,
          ...insights(source),
        }
      : {
          AutoMinorVersionUpgrade: source.AutoMinorVersionUpgrade,
          CACertificateIdentifier: source.CertificateDetails?.CAIdentifier,
          AllocatedStorage: larger ? source.AllocatedStorage : undefined,
          DatabaseInsightsMode: source.DatabaseInsightsMode === "advanced" ? source.DatabaseInsightsMode : undefined,
        }),
  });
  if (Object.keys(later).length === 0) return undefined;
  return { DBClusterIdentifier: identifier, ...later, ApplyImmediately: true };
}

/** Returns Database Insights of an Aurora cluster. Its advanced mode needs Performance Insights in the same call. */
function insights(source: DBCluster) {
  if (source.DatabaseInsightsMode !== "advanced") return {};
  return {
    DatabaseInsightsMode: source.DatabaseInsightsMode,
    EnablePerformanceInsights: true,
    PerformanceInsightsKMSKeyId: source.PerformanceInsightsKMSKeyId,
    PerformanceInsightsRetentionPeriod: source.PerformanceInsightsRetentionPeriod,
  };
}
