import { running } from "../cloud/client";
import { neonAccess } from "../cloud/neon/service";
import { readOutputs } from "../engines";
import { CommandError } from "../usage-error";
import { rdsVariables, runByHand } from "./by-hand";
import { byHandCommand, type Call, typed, type Verb } from "./verb";

/** The verbs that ask RDS or Neon too, and read what the live release recorded. */
const OF_CLOUD: readonly string[] = ["rehearse", "prune"];

export const ops: Verb = {
  name: "ops",
  arguments: "[verb...]",
  summary:
    "a verb of the migrator as a Job of the local cluster: status, resolve, baseline, drift, compare, verify, sql, revert; rehearse tries the migrations on a copy, prune removes old backups",
  use: "changes",
  passesOptions: true,
  goesOn: true,
  async run(call: Call): Promise<number> {
    if (!(await running(call.cloudDir)))
      throw new CommandError(
        `The local cluster does not run, and nothing was changed. To start it: ${typed(call, "up")}`,
      );
    const words = ["ops", ...call.arguments];
    const named = { RELEASE_OPS_COMMAND: byHandCommand(call, "ops") };
    if (!OF_CLOUD.includes(call.arguments[0] ?? "")) return runByHand(call, words, named);
    return runByHand(
      call,
      words,
      { ...named, ...(await rdsVariables(call.cloudDir)), ...neonAccess(call.cloudDir) },
      {
        RELEASE_STACK_OUTPUTS: JSON.stringify(await readOutputs(call.stack)),
      },
    );
  },
};
