import {
  ModifyDBInstanceCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from "@aws-sdk/client-rds";
import type { RdsAccess } from "../../by-hand/rds/access";
import { type CopyArgs, copyTags, isThere } from "./copy";
import { afterRestore, fromSnapshot, toPointInTime } from "./instance-calls";
import { lookAtInstance } from "./look";
import type { InstanceSource } from "./source";
import { type Step, step } from "./step";
import { unmet } from "./unmet";
import { untilAvailable } from "./waiting";

/** Returns the steps that restore an instance. */
export function instanceSteps(access: RdsAccess, instance: InstanceSource, args: CopyArgs): Step[] {
  const { client } = access;
  const { identifier, point } = args;
  const { identifier: of, database: source } = instance;
  const tags = copyTags(instance, source, args);
  const copy = { identifier, point, tags };
  const look = () => lookAtInstance(access, identifier);
  const restored: Pick<Parameters<typeof step>[0], "what" | "done" | "wait"> = {
    what: "makes the database, beside its source",
    done: async () => isThere((await look())?.database, identifier, { source: of, point }),
    wait: (patience, say) => untilAvailable(identifier, look, patience, say),
  };
  return [
    point.kind === "snapshot" ? bySnapshot({ source, ...copy, point }) : byTime({ source, ...copy, point }),
    ...settingsAfter(),
  ];

  function bySnapshot(args: Parameters<typeof fromSnapshot>[0]): Step {
    const parameters = fromSnapshot(args);
    const send = () => client.send(new RestoreDBInstanceFromDBSnapshotCommand(parameters));
    return step({ ...restored, operation: "RestoreDBInstanceFromDBSnapshot", parameters, send });
  }

  function byTime(args: Parameters<typeof toPointInTime>[0]): Step {
    const parameters = toPointInTime(args);
    const send = () => client.send(new RestoreDBInstanceToPointInTimeCommand(parameters));
    return step({ ...restored, operation: "RestoreDBInstanceToPointInTime", parameters, send });
  }

  function settingsAfter(): Step[] {
    const parameters = afterRestore({ source, ...copy });
    if (!parameters) return [];
    return [
      step({
        what: "sets what a restore doesn't take",
        operation: "ModifyDBInstance",
        parameters,
        send: () => client.send(new ModifyDBInstanceCommand(parameters)),
        done: async () => unmet((await look())?.database ?? {}, parameters).length === 0,
        wait: (patience, say) =>
          untilAvailable(identifier, look, patience, say, (now) => unmet(now, parameters).length === 0),
      }),
    ];
  }
}
