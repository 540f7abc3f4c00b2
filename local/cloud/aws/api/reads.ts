import type { Json } from "../../provider";
import { restorableWindow } from "../archive";
import { type Kind, rdsErrors } from "../errors";
import { type Instance, listInstances } from "../records";
import type { Action, ApiContext } from "./action";
import { creatingInstance, listCreations } from "./creation";
import { describeCluster, describeInstance, describeMember } from "./describe";
import { membersOf } from "./members";
import type { Parameters } from "./query";
import type { Settings } from "./translation";

/** Returns a text among the parameters; undefined if it is missing. */
export function text(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  return value === undefined || value === null ? undefined : String(value);
}

/** Lists all databases, also those that are being made. */
async function databases({ cloudDir }: ApiContext, kind: Kind): Promise<Instance[]> {
  const creating = (await listCreations(cloudDir)).map(creatingInstance);
  const known = new Set(creating.map((each) => `${each.kind}/${each.identifier}`));
  const made = (await listInstances(cloudDir)).filter((each) => !known.has(`${each.kind}/${each.identifier}`));
  return [...made, ...creating].filter((each) => each.kind === kind);
}

/** Describes every instance, and every instance of a cluster. */
async function allInstances(context: ApiContext): Promise<Settings[]> {
  const instances = await databases(context, "instance");
  const own = instances.map(async (each) =>
    describeInstance(each, each.ready ? (await restorableWindow(context.cloudDir, each))?.latest : undefined),
  );
  const clusters = await databases(context, "cluster");
  return [
    ...(await Promise.all(own)),
    ...clusters.flatMap((cluster) => membersOf(cluster).map((member) => describeMember(cluster, member))),
  ];
}

/** Describes every cluster. */
async function allClusters(context: ApiContext): Promise<Settings[]> {
  const clusters = await databases(context, "cluster");
  return Promise.all(
    clusters.map(async (each) =>
      describeCluster(each, each.ready ? await restorableWindow(context.cloudDir, each) : undefined),
    ),
  );
}

/** Whether a description passes the filters of a call, of which those of our commands are known. */
function passes(described: Settings, filters: Json | undefined): boolean {
  if (!Array.isArray(filters)) return true;
  return filters.every((filter) => {
    const { Name, Values } = filter as { Name: string; Values: string[] };
    return Name === "db-cluster-id" && Values.includes(String(described["DBClusterIdentifier"]));
  });
}

const describeInstances: Action = async (context, parameters) => {
  const wanted = text(parameters, "DBInstanceIdentifier")?.toLowerCase();
  const found = (await allInstances(context)).filter(
    (each) => (wanted === undefined || each["DBInstanceIdentifier"] === wanted) && passes(each, parameters["Filters"]),
  );
  if (wanted !== undefined && found.length === 0) throw rdsErrors.instanceNotFound("instance", wanted);
  return { DBInstances: found };
};

const describeClusters: Action = async (context, parameters) => {
  const wanted = text(parameters, "DBClusterIdentifier")?.toLowerCase();
  const found = (await allClusters(context)).filter(
    (each) => wanted === undefined || each["DBClusterIdentifier"] === wanted,
  );
  if (wanted !== undefined && found.length === 0) throw rdsErrors.instanceNotFound("cluster", wanted);
  return { DBClusters: found };
};

const listTags: Action = async (context, parameters) => {
  const arn = text(parameters, "ResourceName");
  const all = [...(await allInstances(context)), ...(await allClusters(context))];
  const found = all.find((each) => each["DBInstanceArn"] === arn || each["DBClusterArn"] === arn);
  if (!found) throw rdsErrors.instanceNotFound("instance", arn ?? "");
  return { TagList: found["TagList"] ?? [] };
};

/** The actions that only read. */
export const readActions: Readonly<Record<string, Action>> = {
  DescribeDBInstances: describeInstances,
  DescribeDBClusters: describeClusters,
  ListTagsForResource: listTags,
};
