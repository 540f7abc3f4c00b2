import { awaitWorkloads, liveLines } from "./live";
import { exitStatus, runEngine } from "./run-engine";
import { closeRun, nextCommand, outputLines } from "./summary";
import { type Call, typed, type Verb } from "./verb";

export const up: Verb = {
  name: "up",
  summary: "release: snapshot, migration, rollout; ends with 0 only when everything is rolled out",
  use: "changes",
  options: [{ flags: "--yes", description: "accepted, as by the Pulumi CLI; nothing is asked here" }],
  async run(call: Call): Promise<number> {
    const { output } = call;
    const ran = await runEngine("up", call, () => awaitWorkloads(call));
    if (!output.json && ran.ok && Object.keys(ran.outputs).length > 0) {
      output.line();
      output.line(output.style("bold", "Outputs"));
      for (const line of outputLines(ran.outputs, output.style)) output.line(line);
    }
    closeRun(call, "up", ran, nextCommand(call, "up", ran));
    if (output.json || ran.interrupted) return exitStatus(ran);
    if (!ran.ok) for (const line of await liveLines(call)) output.line(line);
    else
      output.line(
        `It goes on running in the background. To see it: ${typed(call, "status")}; to stop it: ${typed(call, "down")}`,
      );
    return exitStatus(ran);
  },
};
