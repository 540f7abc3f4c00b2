import type { DBCluster, DBInstance } from "@aws-sdk/client-rds";
import type { Difference } from "../target";
import { isOurs } from "./copy";

/** What differs by itself between two databases: their names, their times and their state. */
const OWN = new Set([
  ...["DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "InstanceCreateTime", "DBInstanceStatus"],
  ...["DBClusterIdentifier", "DBClusterArn", "DbClusterResourceId", "ClusterCreateTime", "Status", "DBClusterMembers"],
  ...["LatestRestorableTime", "EarliestRestorableTime", "PendingModifiedValues", "StatusInfos", "PercentProgress"],
  ...["EnhancedMonitoringResourceArn", "SecondaryAvailabilityZone", "AutomaticRestartTime", "HostedZoneId"],
  ...["ResumeFullAutomationModeTime", "AwsBackupRecoveryPointArn", "CloneGroupId", "Capacity", "ReaderEndpoint"],
  ...["IOOptimizedNextAllowedModificationTime", "StorageVolumeStatus", "StorageOperationStatus", "DbInstancePort"],
  ...[
    "StorageOperationPercentProgress",
    "EarliestBacktrackTime",
    "BacktrackConsumedChangeRecords",
    "ActivityStreamKinesisStreamName",
    "IsStorageConfigUpgradeAvailable",
  ],
]);

/** The part of a value that is the same for two databases with the same settings, by the parameter's name. */
const SETTING: Readonly<Record<string, (value: Described) => unknown>> = {
  VpcSecurityGroups: ({ VpcSecurityGroupId }) => VpcSecurityGroupId,
  DBSecurityGroups: ({ DBSecurityGroupName }) => DBSecurityGroupName,
  DBParameterGroups: ({ DBParameterGroupName }) => DBParameterGroupName,
  OptionGroupMemberships: ({ OptionGroupName }) => OptionGroupName,
  DBClusterOptionGroupMemberships: ({ DBClusterOptionGroupName }) => DBClusterOptionGroupName,
  DBSubnetGroup: ({ DBSubnetGroupName }) => DBSubnetGroupName,
  DomainMemberships: ({ Domain }) => Domain,
  AssociatedRoles: ({ RoleArn, FeatureName }) => [RoleArn, FeatureName].filter(Boolean).join(" for "),
  CertificateDetails: ({ CAIdentifier }) => CAIdentifier,
  MasterUserSecret: ({ SecretArn }) => SecretArn,
  TagList: ({ Key, Value }) => (isOurs(String(Key)) ? undefined : `${String(Key)}=${String(Value)}`),
  Endpoint: ({ Port }) => Port,
  ListenerEndpoint: ({ Port }) => Port,
};

/** How a parameter is shown of which only a part is compared. */
const SHOWN: Readonly<Record<string, string>> = { Endpoint: "Endpoint.Port", TagList: "Tags" };

/** What a person should know of a parameter that differs. */
const NOTES: Readonly<Record<string, string>> = {
  MasterUserSecret:
    "Secrets Manager manages the password of the source's master user, and not that of the copy. If somebody needs it: aws rds modify-db-… --manage-master-user-password",
  EngineVersion: "The backup is of that version. Parameter and option groups of another major version can't be used.",
  AssociatedRoles: "aws rds add-role-to-db-… gives them to the copy.",
  ReadReplicaDBInstanceIdentifiers: "A restore makes no replicas. Make them before the app uses the copy.",
  ReadReplicaIdentifiers: "A restore makes no replicas. Make them before the app uses the copy.",
  CustomEndpoints: "aws rds create-db-cluster-endpoint makes them for the copy.",
  HttpEndpointEnabled: "aws rds enable-http-endpoint gives the copy the Data API.",
  GlobalClusterIdentifier: "The copy is no part of the global database.",
  ActivityStreamStatus: "aws rds start-activity-stream starts one for the copy.",
  KmsKeyId: "The copy is encrypted by the key of the backup.",
};

type Described = Readonly<Record<string, unknown>>;

/** Returns every parameter in which the copy differs from its source. */
export function differencesOf(source: DBInstance | DBCluster, copy: DBInstance | DBCluster, prefix = ""): Difference[] {
  const had: Described = { ...source };
  const has: Described = { ...copy };
  const names = [...new Set([...Object.keys(had), ...Object.keys(has)])].filter((name) => !OWN.has(name)).sort();
  return names.flatMap((name) => {
    const [before, after] = [setting(name, had[name]), setting(name, has[name])];
    if (before === after) return [];
    const note = Object.hasOwn(NOTES, name) ? NOTES[name] : undefined;
    return [
      {
        parameter: `${prefix}${SHOWN[name] ?? name}`,
        source: before,
        copy: after,
        ...(note === undefined ? {} : { note }),
      },
    ];
  });
}

/** Writes a parameter's value so that equal settings have equal texts. */
function setting(name: string, value: unknown): string {
  // The endpoint of a cluster is only a host, and its port is a parameter of its own.
  if (name === "Endpoint" && typeof value === "string") return "-";
  const read = Object.hasOwn(SETTING, name) ? SETTING[name] : undefined;
  const of = (each: unknown) => (read && isDescribed(each) ? read(each) : each);
  if (Array.isArray(value)) {
    const items = value.map(of).filter((each) => each !== undefined);
    return items.length === 0 ? "-" : items.map(text).sort().join(", ");
  }
  return text(of(value));
}

function text(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function isDescribed(value: unknown): value is Described {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
