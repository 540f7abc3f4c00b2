import { restorableWindow } from "../archive";
import { isIdentifier, type Kind, RdsError, rdsErrors } from "../errors";
import type { InstanceRecord, Member } from "../records";
import { readInstance } from "../records";
import { restorable } from "../snapshot";
import type { Action, ApiContext } from "./action";
import { type Creation, create, creatingInstance, findDatabase, recordCreation } from "./creation";
import { describeCluster, describeInstance } from "./describe";
import { settingsIn } from "./members";
import type { Parameters } from "./query";
import { text } from "./reads";
import { MEMBER_DEFAULTS, newSettings } from "./settings";

/** What RDS refuses in a restore (API reference; user guide, "gp3 storage"). */
function refuseCombinations(parameters: Parameters): void {
  const refuse = (message: string): never => {
    throw new RdsError("InvalidParameterCombination", message);
  };
  if (parameters["MultiAZ"] === true && parameters["AvailabilityZone"] !== undefined)
    refuse("Requesting a specific availability zone is not valid for Multi-AZ instances.");
  const small = Number(parameters["AllocatedStorage"] ?? 0) < 400;
  if (parameters["StorageType"] === "gp3" && small && parameters["Iops"] !== undefined)
    refuse("You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400.");
}

/** The storage of the source, which a restore takes over unless it is told otherwise. */
function inherited(source: InstanceRecord) {
  const { DBInstanceClass, AllocatedStorage, StorageType } = settingsIn(source);
  return {
    ...(DBInstanceClass === undefined ? {} : { DBInstanceClass }),
    ...(source.kind === "instance"
      ? { AllocatedStorage: AllocatedStorage ?? 20, StorageType: StorageType ?? "gp3" }
      : {}),
  };
}

async function begin(
  { cloudDir, later }: ApiContext,
  kind: Kind,
  identifier: string | undefined,
  wanted: { source: InstanceRecord; from: Creation["from"]; parameters: Parameters },
): Promise<Creation> {
  const { source, from, parameters } = wanted;
  if (!isIdentifier(identifier, 63))
    throw rdsErrors.invalidIdentifier(kind === "instance" ? "DBInstanceIdentifier" : "DBClusterIdentifier");
  const name = identifier.toLowerCase();
  if (await findDatabase(cloudDir, kind, name)) throw rdsErrors.instanceExists(kind);
  refuseCombinations(parameters);
  const createTime = new Date().toISOString();
  const engine = parameters["Engine"] ?? settingsIn(source)["Engine"];
  const settings = {
    ...newSettings(kind, { ...inherited(source), ...parameters }),
    ...(kind === "cluster" ? { Engine: engine ?? "aurora-postgresql" } : {}),
  };
  const creation: Creation = {
    ...{ kind, identifier: name, createTime, from, settings },
    members: kind === "cluster" ? ownMembers(name, createTime, settings["Engine"] === "postgres") : undefined,
    backupRetention: Number(parameters["BackupRetentionPeriod"] ?? source.backupRetention ?? 0),
  };
  await recordCreation(cloudDir, creation);
  later(() => create(cloudDir, creation));
  return creation;
}

/** The instances that a restored cluster has by itself: three of a Multi-AZ DB cluster, none of Aurora. */
function ownMembers(cluster: string, createTime: string, multiAz: boolean): Member[] {
  if (!multiAz) return [];
  return [1, 2, 3].map((number) => ({
    ...{ identifier: `${cluster}-instance-${number}`, createTime, ready: true, settings: MEMBER_DEFAULTS },
  }));
}

function fromSnapshot(kind: Kind, snapshotParameter: string, identifierParameter: string): Action {
  return async (context, parameters) => {
    const snapshot = restorable(context.cloudDir, (text(parameters, snapshotParameter) ?? "").toLowerCase(), kind);
    const from = { snapshot: snapshot.identifier };
    return answer(
      await begin(context, kind, text(parameters, identifierParameter), {
        ...{ source: snapshot.instance, from, parameters },
      }),
    );
  };
}

function toPointInTime(
  kind: Kind,
  names: { readonly source: string; readonly target: string; readonly time: string },
): Action {
  return async (context, parameters) => {
    const identifier = (text(parameters, names.source) ?? "").toLowerCase();
    const source = readInstance(context.cloudDir, kind, identifier);
    if (!source) throw rdsErrors.instanceNotFound(kind, identifier);
    const window = await restorableWindow(context.cloudDir, source);
    if (!window)
      throw new RdsError(
        "PointInTimeRestoreNotEnabled",
        `Point in time restore is not enabled for DB instance ${identifier}.`,
      );
    const at = new Date(text(parameters, names.time) ?? "");
    // RDS knows no fractions of a second.
    if (at.getTime() + 999 < window.earliest.getTime() || at > window.latest || Number.isNaN(at.getTime()))
      throw new RdsError(
        "InvalidParameterValue",
        `The specified time is not between ${window.earliest.toISOString()} and ${window.latest.toISOString()}.`,
      );
    const from = { source: identifier, at: at.toISOString() };
    return answer(await begin(context, kind, text(parameters, names.target), { source, from, parameters }));
  };
}

function answer(creation: Creation): ReturnType<Action> {
  const described =
    creation.kind === "instance"
      ? { DBInstance: describeInstance(creatingInstance(creation), undefined) }
      : { DBCluster: describeCluster(creatingInstance(creation), undefined) };
  return Promise.resolve(described);
}

/** The actions that make a database of a backup. */
export const restoreActions: Readonly<Record<string, Action>> = {
  RestoreDBInstanceFromDBSnapshot: fromSnapshot("instance", "DBSnapshotIdentifier", "DBInstanceIdentifier"),
  RestoreDBClusterFromSnapshot: fromSnapshot("cluster", "SnapshotIdentifier", "DBClusterIdentifier"),
  RestoreDBInstanceToPointInTime: toPointInTime("instance", {
    ...{ source: "SourceDBInstanceIdentifier", target: "TargetDBInstanceIdentifier", time: "RestoreTime" },
  }),
  RestoreDBClusterToPointInTime: toPointInTime("cluster", {
    ...{ source: "SourceDBClusterIdentifier", target: "DBClusterIdentifier", time: "RestoreToTime" },
  }),
};
