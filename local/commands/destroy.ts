import { counted } from "../../text/counted";
import { exitStatus, runEngine } from "./run-engine";
import { closeRun, nextCommand } from "./summary";
import { type Call, typed, type Verb } from "./verb";

export const destroy: Verb = {
  name: "destroy",
  summary: "delete what the stack owns; retained snapshots and the database stay",
  use: "changes",
  options: [{ flags: "--yes", description: "accepted, as by the Pulumi CLI; nothing is asked here" }],
  async run(call: Call): Promise<number> {
    const ran = await runEngine("destroy", call);
    closeRun(call, "destroy", ran, nextCommand(call, "destroy", ran));
    const kept = ran.steps.filter((step) => step.retained && step.status === "succeeded");
    if (!call.output.json && ran.ok && kept.length > 0) {
      call.output.line(`${counted(kept.length, "snapshot")} kept, to list and restore: ${typed(call, "snapshots")}`);
    }
    return exitStatus(ran);
  },
};
