import type { DBCluster, DBClusterSnapshot, DBInstance, DBSnapshot } from "@aws-sdk/client-rds";
import type { ClusterSource, InstanceSource } from "../../restore/rds/source";

const ACCOUNT = "arn:aws:rds:eu-central-1:111122223333";
const AUTHORITY = "rds-ca-rsa2048-g1";

/** A production instance, as DescribeDBInstances describes it: nothing of it is RDS' default. */
export const INSTANCE: DBInstance = {
  DBInstanceIdentifier: "notes-prod",
  DBInstanceArn: `${ACCOUNT}:db:notes-prod`,
  DbiResourceId: "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  DBInstanceStatus: "available",
  Engine: "postgres",
  EngineVersion: "16.4",
  DBInstanceClass: "db.m7g.xlarge",
  Endpoint: { Address: "notes-prod.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com", Port: 5433, HostedZoneId: "Z1" },
  DbInstancePort: 0,
  AllocatedStorage: 500,
  MaxAllocatedStorage: 1000,
  StorageType: "gp3",
  Iops: 12_000,
  StorageThroughput: 500,
  StorageEncrypted: true,
  KmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/k-1",
  MultiAZ: true,
  AvailabilityZone: "eu-central-1a",
  SecondaryAvailabilityZone: "eu-central-1b",
  PubliclyAccessible: false,
  NetworkType: "DUAL",
  DBSubnetGroup: { DBSubnetGroupName: "private", VpcId: "vpc-1" },
  VpcSecurityGroups: [
    { VpcSecurityGroupId: "sg-app", Status: "active" },
    { VpcSecurityGroupId: "sg-admin", Status: "active" },
  ],
  DBParameterGroups: [{ DBParameterGroupName: "notes-16", ParameterApplyStatus: "in-sync" }],
  OptionGroupMemberships: [{ OptionGroupName: "default:postgres-16", Status: "in-sync" }],
  IAMDatabaseAuthenticationEnabled: true,
  DeletionProtection: true,
  BackupRetentionPeriod: 14,
  PreferredBackupWindow: "01:00-01:30",
  PreferredMaintenanceWindow: "tue:02:00-tue:02:30",
  AutoMinorVersionUpgrade: false,
  CopyTagsToSnapshot: true,
  CACertificateIdentifier: AUTHORITY,
  CertificateDetails: { CAIdentifier: AUTHORITY, ValidTill: new Date("2030-01-01T00:00:00Z") },
  EnabledCloudwatchLogsExports: ["postgresql", "upgrade"],
  MonitoringInterval: 30,
  MonitoringRoleArn: "arn:aws:iam::111122223333:role/monitoring",
  PerformanceInsightsEnabled: true,
  PerformanceInsightsKMSKeyId: "arn:aws:kms:eu-central-1:111122223333:key/k-2",
  PerformanceInsightsRetentionPeriod: 465,
  DatabaseInsightsMode: "advanced",
  EngineLifecycleSupport: "open-source-rds-extended-support-disabled",
  DedicatedLogVolume: true,
  ProcessorFeatures: [{ Name: "coreCount", Value: "2" }],
  DomainMemberships: [{ Domain: "d-1", Status: "joined", IAMRoleName: "directory" }],
  LatestRestorableTime: new Date("2026-11-21T15:00:00Z"),
  TagList: [
    { Key: "team", Value: "notes" },
    { Key: "aws:cloudformation:stack-name", Value: "db" },
  ],
};

/** A production Aurora cluster with a writer and a reader that differ in everything in which instances may. */
export const AURORA: DBCluster = {
  DBClusterIdentifier: "notes-prod",
  DBClusterArn: `${ACCOUNT}:cluster:notes-prod`,
  Status: "available",
  Engine: "aurora-postgresql",
  EngineVersion: "16.4",
  EngineMode: "provisioned",
  Port: 5433,
  Endpoint: "notes-prod.cluster-c1.eu-central-1.rds.amazonaws.com",
  ReaderEndpoint: "notes-prod.cluster-ro-c1.eu-central-1.rds.amazonaws.com",
  AllocatedStorage: 1,
  StorageType: "aurora-iopt1",
  StorageEncrypted: true,
  KmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/k-1",
  DBSubnetGroup: "private",
  VpcSecurityGroups: [{ VpcSecurityGroupId: "sg-app", Status: "active" }],
  DBClusterParameterGroup: "notes-aurora-16",
  IAMDatabaseAuthenticationEnabled: true,
  DeletionProtection: true,
  CopyTagsToSnapshot: true,
  BackupRetentionPeriod: 14,
  PreferredBackupWindow: "01:00-01:30",
  PreferredMaintenanceWindow: "tue:02:00-tue:02:30",
  EnabledCloudwatchLogsExports: ["postgresql"],
  NetworkType: "IPV4",
  EngineLifecycleSupport: "open-source-rds-extended-support",
  ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 16 },
  AssociatedRoles: [{ RoleArn: "arn:aws:iam::111122223333:role/import", FeatureName: "s3Import", Status: "ACTIVE" }],
  DatabaseInsightsMode: "advanced",
  PerformanceInsightsEnabled: true,
  PerformanceInsightsKMSKeyId: "arn:aws:kms:eu-central-1:111122223333:key/k-2",
  PerformanceInsightsRetentionPeriod: 465,
  LocalWriteForwardingStatus: "enabled",
  EarliestRestorableTime: new Date("2026-11-07T15:00:00Z"),
  LatestRestorableTime: new Date("2026-11-21T15:00:00Z"),
  DBClusterMembers: [
    { DBInstanceIdentifier: "notes-prod-a", IsClusterWriter: false, PromotionTier: 2 },
    { DBInstanceIdentifier: "notes-prod-b", IsClusterWriter: true, PromotionTier: 0 },
  ],
  TagList: [{ Key: "team", Value: "notes" }],
};

const MEMBER: DBInstance = {
  Engine: "aurora-postgresql",
  EngineVersion: "16.4",
  DBClusterIdentifier: "notes-prod",
  PubliclyAccessible: false,
  AutoMinorVersionUpgrade: false,
  CACertificateIdentifier: AUTHORITY,
  PreferredMaintenanceWindow: "tue:03:00-tue:03:30",
  MonitoringInterval: 0,
};

export const WRITER: DBInstance = {
  ...MEMBER,
  DBInstanceIdentifier: "notes-prod-b",
  DBInstanceClass: "db.r8g.2xlarge",
  DBParameterGroups: [{ DBParameterGroupName: "notes-writer", ParameterApplyStatus: "in-sync" }],
  PromotionTier: 0,
  AvailabilityZone: "eu-central-1b",
  PerformanceInsightsEnabled: true,
  PerformanceInsightsRetentionPeriod: 465,
};

export const READER: DBInstance = {
  ...MEMBER,
  DBInstanceIdentifier: "notes-prod-a",
  DBInstanceClass: "db.serverless",
  DBParameterGroups: [{ DBParameterGroupName: "notes-reader", ParameterApplyStatus: "in-sync" }],
  PromotionTier: 2,
  AvailabilityZone: "eu-central-1a",
};

/** A production Multi-AZ DB cluster: the engine is PostgreSQL's own, and class and storage are the cluster's. */
export const MULTI_AZ: DBCluster = {
  DBClusterIdentifier: "notes-prod",
  DBClusterArn: `${ACCOUNT}:cluster:notes-prod`,
  Status: "available",
  Engine: "postgres",
  EngineVersion: "16.4",
  Port: 5432,
  DBClusterInstanceClass: "db.m6gd.large",
  AllocatedStorage: 400,
  StorageType: "io1",
  Iops: 4000,
  StorageEncrypted: true,
  KmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/k-1",
  MultiAZ: true,
  PubliclyAccessible: false,
  DBSubnetGroup: "private",
  VpcSecurityGroups: [{ VpcSecurityGroupId: "sg-app", Status: "active" }],
  DBClusterParameterGroup: "notes-multi-az-16",
  IAMDatabaseAuthenticationEnabled: false,
  DeletionProtection: true,
  CopyTagsToSnapshot: false,
  BackupRetentionPeriod: 7,
  PreferredBackupWindow: "01:00-01:30",
  PreferredMaintenanceWindow: "tue:02:00-tue:02:30",
  EnabledCloudwatchLogsExports: ["postgresql"],
  AutoMinorVersionUpgrade: true,
  MonitoringInterval: 60,
  MonitoringRoleArn: "arn:aws:iam::111122223333:role/monitoring",
  PerformanceInsightsEnabled: true,
  PerformanceInsightsRetentionPeriod: 7,
  CertificateDetails: { CAIdentifier: AUTHORITY },
  LatestRestorableTime: new Date("2026-11-21T15:00:00Z"),
  TagList: [],
};

export const INSTANCE_SOURCE: InstanceSource = { kind: "instance", identifier: "notes-prod", database: INSTANCE };
export const AURORA_SOURCE: ClusterSource = {
  ...{ kind: "cluster", identifier: "notes-prod", database: AURORA },
  members: [WRITER, READER],
};
export const MULTI_AZ_SOURCE: ClusterSource = {
  ...{ kind: "cluster", identifier: "notes-prod", database: MULTI_AZ },
  members: [],
};

export const SNAPSHOT: DBSnapshot = {
  DBSnapshotIdentifier: "notes-prod-0a4ccad5b85c",
  DBInstanceIdentifier: "notes-prod",
  Status: "available",
  EngineVersion: "16.4",
  AllocatedStorage: 400,
  SnapshotCreateTime: new Date("2026-11-21T10:00:00Z"),
};

export const CLUSTER_SNAPSHOT: DBClusterSnapshot = {
  DBClusterSnapshotIdentifier: "notes-prod-0a4ccad5b85c",
  DBClusterIdentifier: "notes-prod",
  Status: "available",
  EngineVersion: "16.4",
  AllocatedStorage: 400,
  SnapshotCreateTime: new Date("2026-11-21T10:00:00Z"),
};
