import { stopServer } from "../../../../embedded/postgres";
import type { Json } from "../../provider";
import { isIdentifier, type Kind, RdsError, rdsErrors } from "../errors";
import { deleteInstance, setBackupRetention, startInstance } from "../instance";
import {
  dataDirectoryOf,
  type InstanceRecord,
  listInstances,
  type Member,
  readInstance,
  writeInstance,
} from "../records";
import type { Action, ApiContext } from "./action";
import { findDatabase, forgetCreation } from "./creation";
import { describeCluster, describeInstance, describeMember } from "./describe";
import { membersOf, settingsIn } from "./members";
import { text } from "./reads";
import { MEMBER_DEFAULTS } from "./settings";
import { settingsOf } from "./translation";

/** Adds an instance to a cluster. The first one starts the cluster's server. */
const createInstance: Action = async (context, parameters) => {
  const { cloudDir, later } = context;
  const identifier = text(parameters, "DBInstanceIdentifier");
  if (!isIdentifier(identifier, 63)) throw rdsErrors.invalidIdentifier("DBInstanceIdentifier");
  const name = identifier.toLowerCase();
  const clusterName = text(parameters, "DBClusterIdentifier");
  if (clusterName === undefined)
    throw new RdsError("InvalidParameterCombination", "The local cloud makes instances of clusters only.");
  const cluster = available(cloudDir, "cluster", clusterName.toLowerCase());
  if ((await findDatabase(cloudDir, "instance", name)) || (await memberNamed(cloudDir, name)))
    throw rdsErrors.instanceExists("instance");
  const { DBClusterIdentifier: _, Engine: __, ...own } = parameters;
  const settings = { ...MEMBER_DEFAULTS, ...settingsOf("instance", own) };
  const member: Member = { identifier: name, createTime: new Date().toISOString(), ready: false, settings };
  writeInstance(cloudDir, { ...cluster, members: [...membersOf(cluster), member] });
  later(() => startMember(cloudDir, cluster.identifier, name));
  const found = await findDatabase(cloudDir, "cluster", cluster.identifier);
  return { DBInstance: describeMember(found!, member) };
};

/** Starts the server of a cluster for one of its instances. It may be called again after it was interrupted. */
export async function startMember(cloudDir: string, cluster: string, name: string): Promise<void> {
  await startInstance(cloudDir, "cluster", cluster);
  const record = readInstance(cloudDir, "cluster", cluster);
  if (!record?.members) return;
  const members = record.members.map((each) => (each.identifier === name ? { ...each, ready: true } : each));
  writeInstance(cloudDir, { ...record, members });
  if ((record.backupRetention ?? 0) > 0) await setBackupRetention(cloudDir, record, record.backupRetention!);
}

async function memberNamed(
  cloudDir: string,
  name: string,
): Promise<{ cluster: InstanceRecord; member: Member } | undefined> {
  for (const each of await listInstances(cloudDir)) {
    const member = each.kind === "cluster" ? membersOf(each).find(({ identifier }) => identifier === name) : undefined;
    if (member) return { cluster: readInstance(cloudDir, "cluster", each.identifier)!, member };
  }
  return undefined;
}

function available(cloudDir: string, kind: Kind, identifier: string): InstanceRecord {
  const record = readInstance(cloudDir, kind, identifier);
  if (!record) throw rdsErrors.instanceNotFound(kind, identifier);
  return record;
}

function modify(kind: Kind): Action {
  const parameter = kind === "instance" ? "DBInstanceIdentifier" : "DBClusterIdentifier";
  return async ({ cloudDir }, parameters) => {
    const record = available(cloudDir, kind, (text(parameters, parameter) ?? "").toLowerCase());
    writeInstance(cloudDir, { ...record, settings: { ...settingsIn(record), ...settingsOf(kind, parameters) } });
    const retention = parameters["BackupRetentionPeriod"];
    if (retention !== undefined) await setBackupRetention(cloudDir, record, Number(retention));
    return described(cloudDir, kind, record.identifier);
  };
}

async function described(cloudDir: string, kind: Kind, identifier: string): ReturnType<Action> {
  const found = await findDatabase(cloudDir, kind, identifier);
  if (!found) return {};
  return kind === "instance"
    ? { DBInstance: describeInstance(found, undefined) }
    : { DBCluster: describeCluster(found, undefined) };
}

const deleteDBInstance: Action = async (context, parameters) => {
  const name = (text(parameters, "DBInstanceIdentifier") ?? "").toLowerCase();
  const part = await memberNamed(context.cloudDir, name);
  if (!part) return remove(context, "instance", name);
  const { cluster, member } = part;
  const members = membersOf(cluster).filter(({ identifier }) => identifier !== name);
  writeInstance(context.cloudDir, { ...cluster, members });
  if (members.length === 0) await stopServer(dataDirectoryOf(context.cloudDir, cluster));
  const found = await findDatabase(context.cloudDir, "cluster", cluster.identifier);
  return { DBInstance: { ...describeMember(found!, member), DBInstanceStatus: "deleting" } };
};

const deleteDBCluster: Action = async (context, parameters) => {
  const name = (text(parameters, "DBClusterIdentifier") ?? "").toLowerCase();
  const cluster = readInstance(context.cloudDir, "cluster", name);
  const aurora = cluster && settingsIn(cluster)["Engine"] !== "postgres";
  if (aurora && membersOf(cluster).length > 0)
    throw new RdsError(
      "InvalidDBClusterStateFault",
      "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
    );
  return remove(context, "cluster", name);
};

async function remove({ cloudDir }: ApiContext, kind: Kind, name: string): ReturnType<Action> {
  const found = await findDatabase(cloudDir, kind, name);
  if (!found) throw rdsErrors.instanceNotFound(kind, name);
  if (settingsIn(found)["DeletionProtection"] === true)
    throw new RdsError(
      "InvalidParameterCombination",
      `Cannot delete protected ${kind === "instance" ? "DB Instance" : "Cluster"}, please disable deletion protection and try again.`,
    );
  if (found.status === "creating")
    throw new RdsError(
      kind === "instance" ? "InvalidDBInstanceState" : "InvalidDBClusterStateFault",
      `Database ${name} is not in available state.`,
    );
  await forgetCreation(cloudDir, { kind, identifier: name });
  if (readInstance(cloudDir, kind, name)) await deleteInstance(cloudDir, kind, name);
  return kind === "instance"
    ? { DBInstance: { ...describeInstance(found, undefined), DBInstanceStatus: "deleting" } }
    : { DBCluster: { ...describeCluster(found, undefined), Status: "deleting" } };
}

const addTags: Action = async ({ cloudDir }, parameters) => {
  const [kind, identifier = ""] = /:(db|cluster):([^:]+)$/.exec(text(parameters, "ResourceName") ?? "")?.slice(1) ?? [];
  const record = available(cloudDir, kind === "cluster" ? "cluster" : "instance", identifier);
  const settings = settingsIn(record);
  const given = (parameters["Tags"] ?? []) as { Key: string; Value: Json }[];
  const kept = ((settings["TagList"] ?? []) as { Key: string; Value: Json }[]).filter(
    ({ Key }) => !given.some((each) => each.Key === Key),
  );
  writeInstance(cloudDir, { ...record, settings: { ...settings, TagList: [...kept, ...given] } });
  return {};
};

/** The actions that change or delete a database. */
export const changeActions: Readonly<Record<string, Action>> = {
  CreateDBInstance: createInstance,
  ModifyDBInstance: modify("instance"),
  ModifyDBCluster: modify("cluster"),
  DeleteDBInstance: deleteDBInstance,
  DeleteDBCluster: deleteDBCluster,
  AddTagsToResource: addTags,
};
