import { running } from "../cloud/client";
import { readOutputs } from "../engines";
import { CommandError } from "../usage-error";
import { rdsVariables, runByHand } from "./by-hand";
import { byHandCommand, type Call, typed, type Verb } from "./verb";

export const ops: Verb = {
  name: "ops",
  arguments: "[verb...]",
  summary:
    "a verb of the migrator as a Job of the local cluster: status, resolve, baseline, drift, compare, verify, sql, revert; prune removes old backups",
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
    if (call.arguments[0] !== "prune") return runByHand(call, words, named);
    return runByHand(
      call,
      words,
      { ...named, ...(await rdsVariables(call.cloudDir)) },
      {
        RELEASE_STACK_OUTPUTS: JSON.stringify(await readOutputs(call.stack)),
      },
    );
  },
};
