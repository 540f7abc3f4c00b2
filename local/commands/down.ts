import { existsSync } from "node:fs";
import { readable } from "../../text/atomic";
import { shellWord } from "../../text/shell-word";
import { foldersOutside } from "../cloud/aws/placement";
import { stopCloud } from "../cloud/client";
import { readLastRun, stateOf } from "../last-run";
import { CommandError } from "../usage-error";
import { type Call, goingOn, typed, type Verb } from "./verb";

export const down: Verb = {
  name: "down",
  summary: "stop everything that was started for this stack; data, snapshots and state stay",
  use: "reads",
  async run(call: Call): Promise<number> {
    const { cloudDir, stackDir, output } = call;
    // Even if the record of the last run can't be read, the command must stop what is running.
    const last = readable(
      () => readLastRun(stackDir),
      () => undefined,
    );
    if (last && stateOf(last) === "running") {
      throw new CommandError(
        `${last.verb} is running (process ${last.by?.pid}) and would lose the cloud under it. Nothing was stopped.\n` +
          `Wait for it or stop it with Ctrl-C, then: ${typed(call, "down")}`,
      );
    }
    const was = existsSync(cloudDir);
    await stopCloud(cloudDir);
    const left = was ? [] : await foldersOutside(cloudDir);
    if (output.json) output.event({ kind: "summary", verb: "down", ok: true });
    else if (was)
      output.line(
        `Stopped: app, database and background process. Data and state stay; to go on: ${typed(goingOn(call, last), "up")}`,
      );
    else output.line("Nothing is running.");
    if (!output.json && left.length > 0) {
      output.line(
        `${cloudDir} is not there any more, but its databases are. If it was moved, they are used from there. ` +
          `If it was deleted, remove them: rm -rf ${left.map(shellWord).join(" ")}`,
      );
    }
    return 0;
  },
};
