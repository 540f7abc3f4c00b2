import type { Kind } from "../errors";
import type { Parameters } from "./query";
import { type Settings, settingsOf } from "./translation";

const REGION = "xx-local-1";
const AUTHORITY = "rds-ca-rsa2048-g1";
const WATCHED = { PerformanceInsightsEnabled: true, PerformanceInsightsRetentionPeriod: 7 };
const UNWATCHED = { MonitoringInterval: 0, PerformanceInsightsEnabled: false };

/** What RDS gives a database when a call doesn't say otherwise. */
const DEFAULTS: Record<Kind, Settings> = {
  instance: {
    ...{ AllocatedStorage: 20, StorageType: "gp3", Iops: 3000, StorageThroughput: 125 },
    ...{ MultiAZ: false, AvailabilityZone: `${REGION}b`, PubliclyAccessible: false, NetworkType: "IPV4" },
    ...{ AutoMinorVersionUpgrade: true, CopyTagsToSnapshot: false, DeletionProtection: false },
    ...{ IAMDatabaseAuthenticationEnabled: false, DedicatedLogVolume: false, EnabledCloudwatchLogsExports: [] },
    ...{ PreferredBackupWindow: "04:00-04:30", PreferredMaintenanceWindow: "sun:05:00-sun:05:30" },
    ...{ EngineLifecycleSupport: "open-source-rds-extended-support", BackupTarget: "region" },
    ...UNWATCHED,
    ...settingsOf("instance", {
      ...{ DBSubnetGroupName: "default", VpcSecurityGroupIds: ["sg-00000default00000"] },
      ...{ DBParameterGroupName: "default.postgres18", OptionGroupName: "default:postgres-18" },
      CACertificateIdentifier: AUTHORITY,
    }),
  },
  cluster: {
    ...{ AllocatedStorage: 1, MultiAZ: false, NetworkType: "IPV4", AvailabilityZones: [`${REGION}a`, `${REGION}b`] },
    ...{ CopyTagsToSnapshot: false, DeletionProtection: false, IAMDatabaseAuthenticationEnabled: false },
    ...{ PreferredBackupWindow: "04:00-04:30", PreferredMaintenanceWindow: "sun:05:00-sun:05:30" },
    ...{ EngineLifecycleSupport: "open-source-rds-extended-support", EnabledCloudwatchLogsExports: [] },
    ...settingsOf("cluster", {
      ...{ DBSubnetGroupName: "default", VpcSecurityGroupIds: ["sg-00000default00000"] },
      DBClusterParameterGroupName: "default.aurora-postgresql18",
    }),
  },
};

/** What RDS gives an instance of a cluster when a call doesn't say otherwise. */
export const MEMBER_DEFAULTS: Settings = {
  ...{ PromotionTier: 1, AvailabilityZone: `${REGION}b`, PubliclyAccessible: false, AutoMinorVersionUpgrade: true },
  ...{ PreferredMaintenanceWindow: "sun:05:00-sun:05:30", ...UNWATCHED },
  ...settingsOf("instance", {
    DBParameterGroupName: "default.aurora-postgresql18",
    CACertificateIdentifier: AUTHORITY,
  }),
};

/** How the database differs from that which `up` makes, as those of teams do: so a restore that forgets it is seen. */
const ESTABLISHED: Record<Kind, Parameters> = {
  instance: {
    ...{ DBInstanceClass: "db.t4g.micro", DBSubnetGroupName: "release", VpcSecurityGroupIds: ["sg-0123456789release"] },
    ...{ DBParameterGroupName: "release-postgres18", OptionGroupName: "default:postgres-18" },
    ...{ AvailabilityZone: `${REGION}a`, CopyTagsToSnapshot: true, EnableCloudwatchLogsExports: ["postgresql"] },
    ...{ PreferredBackupWindow: "01:00-01:30", PreferredMaintenanceWindow: "tue:02:00-tue:02:30", ...WATCHED },
    Tags: [{ Key: "team", Value: "notes" }],
  },
  cluster: {
    ...{ DBSubnetGroupName: "release", VpcSecurityGroupIds: ["sg-0123456789release"], CopyTagsToSnapshot: true },
    ...{ DBClusterParameterGroupName: "release-aurora18", EnableCloudwatchLogsExports: ["postgresql"] },
    ...{ PreferredBackupWindow: "01:00-01:30", PreferredMaintenanceWindow: "tue:02:00-tue:02:30" },
    Tags: [{ Key: "team", Value: "notes" }],
  },
};

/** The settings of the instance in the cluster that `up` makes. */
export const ESTABLISHED_MEMBER: Settings = {
  ...MEMBER_DEFAULTS,
  ...settingsOf("instance", {
    ...{ DBInstanceClass: "db.r8g.large", DBParameterGroupName: "release-aurora18", PromotionTier: 0 },
    ...{ AvailabilityZone: `${REGION}a`, PreferredMaintenanceWindow: "tue:02:30-tue:03:00", ...WATCHED },
  }),
};

/** Returns the settings of the database that `up` makes. */
export function establishedSettings(kind: Kind): Settings {
  return { ...DEFAULTS[kind], ...settingsOf(kind, ESTABLISHED[kind]) };
}

/** Returns the settings of a database that a call makes: RDS' defaults, and what the call says. */
export function newSettings(kind: Kind, parameters: Parameters): Settings {
  return { ...DEFAULTS[kind], ...settingsOf(kind, parameters) };
}
