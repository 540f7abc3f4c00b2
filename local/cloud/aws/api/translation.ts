import type { Json } from "../../provider";
import type { Kind } from "../errors";
import type { Parameters } from "./query";

/** The settings of a database, by their names in RDS' descriptions. */
export type Settings = { [name: string]: Json };

const named = (list: Json, key: string, more: Settings): Json =>
  (Array.isArray(list) ? list : [list]).map((name) => ({ [key]: name, ...more }));

/** How a parameter of a call appears in descriptions, where that is in another form. */
const DESCRIBED: Readonly<Record<string, (value: Json, kind: Kind) => Settings>> = {
  VpcSecurityGroupIds: (value) => ({ VpcSecurityGroups: named(value, "VpcSecurityGroupId", { Status: "active" }) }),
  DBParameterGroupName: (value) => ({
    DBParameterGroups: named(value, "DBParameterGroupName", { ParameterApplyStatus: "in-sync" }),
  }),
  OptionGroupName: (value) => ({ OptionGroupMemberships: named(value, "OptionGroupName", { Status: "in-sync" }) }),
  DBSubnetGroupName: (value, kind) => ({
    DBSubnetGroup: kind === "cluster" ? value : { DBSubnetGroupName: value, VpcId: "vpc-local" },
  }),
  DBClusterParameterGroupName: (value) => ({ DBClusterParameterGroup: value }),
  EnableIAMDatabaseAuthentication: (value) => ({ IAMDatabaseAuthenticationEnabled: value }),
  EnableCloudwatchLogsExports: (value) => ({ EnabledCloudwatchLogsExports: value }),
  EnablePerformanceInsights: (value) => ({ PerformanceInsightsEnabled: value }),
  EnableLocalWriteForwarding: (value) => ({ LocalWriteForwardingStatus: value === true ? "enabled" : "disabled" }),
  CACertificateIdentifier: (value) => ({
    CACertificateIdentifier: value,
    CertificateDetails: { CAIdentifier: value },
  }),
  KmsKeyId: (value) => ({ KmsKeyId: value, StorageEncrypted: true }),
  Tags: (value) => ({ TagList: value }),
};

/** Parameters that name databases and snapshots, or say how a call is carried out. They are no settings. */
const NO_SETTINGS = new Set([
  ...["DBInstanceIdentifier", "DBClusterIdentifier", "DBSnapshotIdentifier", "SnapshotIdentifier"],
  ...["SourceDBInstanceIdentifier", "TargetDBInstanceIdentifier", "SourceDBClusterIdentifier", "RestoreTime"],
  ...["RestoreToTime", "ApplyImmediately", "EngineVersion", "Port", "BackupRetentionPeriod"],
]);

/** Returns the settings that the parameters of a call stand for. */
export function settingsOf(kind: Kind, parameters: Parameters): Settings {
  const settings = Object.entries(parameters)
    .filter(([name]) => !NO_SETTINGS.has(name))
    .map(([name, value]): Settings => {
      const read = Object.hasOwn(DESCRIBED, name) ? DESCRIBED[name] : undefined;
      return read ? read(value, kind) : { [name]: value };
    });
  return Object.assign({}, ...settings) as Settings;
}
