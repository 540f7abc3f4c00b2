import { running } from "../cloud/client";
import { CommandError } from "../usage-error";
import { runByHand } from "./by-hand";
import { byHandCommand, type Call, typed, type Verb } from "./verb";

export const ops: Verb = {
  name: "ops",
  arguments: "[verb...]",
  summary:
    "a verb of the migrator as a Job of the local cluster: status, resolve, baseline, drift, compare, verify, sql, revert",
  use: "changes",
  passesOptions: true,
  goesOn: true,
  async run(call: Call): Promise<number> {
    if (!(await running(call.cloudDir)))
      throw new CommandError(
        `The local cluster does not run, and nothing was changed. To start it: ${typed(call, "up")}`,
      );
    return runByHand(call, ["ops", ...call.arguments], { RELEASE_OPS_COMMAND: byHandCommand(call, "ops") });
  },
};
