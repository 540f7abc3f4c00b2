import {
  CreateDBInstanceCommand,
  ModifyDBClusterCommand,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBClusterToPointInTimeCommand,
} from "@aws-sdk/client-rds";
import type { RdsAccess } from "../../by-hand/rds/access";
import { afterClusterRestore, clusterFromSnapshot, clusterToPointInTime, memberOf } from "./cluster-calls";
import { type CopyArgs, copyTags, isThere, memberName } from "./copy";
import { lookAtCluster, lookAtInstance } from "./look";
import { sameMajor } from "./snapshots";
import { type ClusterSource, isAurora } from "./source";
import { type Step, step } from "./step";
import { unmet } from "./unmet";
import { untilAvailable } from "./waiting";

/**
 * Returns the steps that restore a cluster. A restored Aurora cluster has no instance, so there is nothing to connect
 * to until one is made in it. The first one becomes the writer.
 */
export function clusterSteps(access: RdsAccess, cluster: ClusterSource, args: CopyArgs): Step[] {
  const { client } = access;
  const { identifier, point } = args;
  const { identifier: of, database: source, members } = cluster;
  const copy = { identifier, point, tags: copyTags(cluster, source, args) };
  const look = () => lookAtCluster(access, identifier);
  const restored: Pick<Parameters<typeof step>[0], "what" | "done" | "wait"> = {
    what: isAurora(source)
      ? "makes the cluster, beside its source; it has no instance yet"
      : "makes the cluster, beside its source, with its three instances",
    done: async () => isThere((await look())?.database, identifier, { source: of, point }),
    wait: (patience, say) => untilAvailable(identifier, look, patience, say),
  };
  return [
    point.kind === "snapshot" ? bySnapshot({ source, ...copy, point }) : byTime({ source, ...copy, point }),
    ...(isAurora(source) ? members.map(memberStep) : []),
    ...settingsAfter(),
  ];

  function bySnapshot(args: Parameters<typeof clusterFromSnapshot>[0]): Step {
    const parameters = clusterFromSnapshot(args);
    const send = () => client.send(new RestoreDBClusterFromSnapshotCommand(parameters));
    return step({ ...restored, operation: "RestoreDBClusterFromSnapshot", parameters, send });
  }

  function byTime(args: Parameters<typeof clusterToPointInTime>[0]): Step {
    const parameters = clusterToPointInTime(args);
    const send = () => client.send(new RestoreDBClusterToPointInTimeCommand(parameters));
    return step({ ...restored, operation: "RestoreDBClusterToPointInTime", parameters, send });
  }

  function memberStep(member: ClusterSource["members"][number], index: number): Step {
    const name = memberName(identifier, index);
    const memberTags = copyTags(cluster, member, args);
    const same = point.kind === "time" || sameMajor(source, point.snapshot);
    const parameters = memberOf({ identifier, engine: source.Engine, sameMajor: same }, member, name, memberTags);
    const lookAtMember = () => lookAtInstance(access, name);
    return step({
      what: `makes its ${index === 0 ? "writer" : "reader"}, like ${member.DBInstanceIdentifier}`,
      operation: "CreateDBInstance",
      parameters,
      send: () => client.send(new CreateDBInstanceCommand(parameters)),
      done: async () => isThere((await lookAtMember())?.database, name, { source: of, point }),
      wait: (patience, say) => untilAvailable(name, lookAtMember, patience, say),
    });
  }

  function settingsAfter(): Step[] {
    const parameters = afterClusterRestore({ source, ...copy });
    if (!parameters) return [];
    return [
      step({
        what: "sets what a restore doesn't take",
        operation: "ModifyDBCluster",
        parameters,
        send: () => client.send(new ModifyDBClusterCommand(parameters)),
        done: async () => unmet((await look())?.database ?? {}, parameters).length === 0,
        wait: (patience, say) =>
          untilAvailable(identifier, look, patience, say, (now) => unmet(now, parameters).length === 0),
      }),
    ];
  }
}
