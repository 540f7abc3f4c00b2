import { exitStatus, runEngine } from "./run-engine";
import { closeRun, nextCommand } from "./summary";
import type { Call, Verb } from "./verb";

export const refresh: Verb = {
  name: "refresh",
  summary: "compare the state with what is really there, and correct the state",
  use: "changes",
  async run(call: Call): Promise<number> {
    const ran = await runEngine("refresh", call);
    closeRun(call, "refresh", ran, nextCommand(call, "refresh", ran));
    return exitStatus(ran);
  },
};
