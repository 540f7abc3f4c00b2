import { running } from "../cloud/client";
import { readOutputs } from "../engines";
import { CommandError } from "../usage-error";
import { rdsVariables, runByHand } from "./by-hand";
import { byHandCommand, type Call, typed, type Verb } from "./verb";

export const restore: Verb = {
  name: "restore",
  arguments: "[words...]",
  summary: "a snapshot or a moment as a second database, beside the one that runs; list, remove NAME, help",
  use: "changes",
  passesOptions: true,
  goesOn: true,
  async run(call: Call): Promise<number> {
    const { cloudDir, stack } = call;
    if (!(await running(cloudDir)))
      throw new CommandError(
        `The local cloud does not run, and nothing was started. To start it: ${typed(call, "up")}`,
      );
    const environment = {
      ...(await rdsVariables(cloudDir)),
      RELEASE_RESTORE_COMMAND: byHandCommand(call, "restore"),
    };
    const outputs = JSON.stringify(await readOutputs(stack));
    const files = { RELEASE_STACK_OUTPUTS: outputs };
    const status = await runByHand(call, ["restore", ...call.arguments], environment, files);
    const restores =
      !["list", "remove", "help"].includes(call.arguments[0] ?? "") && !call.arguments.includes("--plan");
    if (status === 0 && restores && !call.output.json)
      call.output.line(`  To look at it: ${typed(call, "query", '"SELECT …"', "--instance", "NAME")}`);
    return status;
  },
};
