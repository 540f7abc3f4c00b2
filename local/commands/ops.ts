import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { running } from "../cloud/client";
import { toolsOf } from "../cloud/command/tools";
import { CommandError } from "../usage-error";
import { type Call, typed, type Verb } from "./verb";

const START = resolve(__dirname, "../../bin/start.cjs");

/** The exit status of a process that a signal ended. */
const INTERRUPTED = 130;

export const ops: Verb = {
  name: "ops",
  arguments: "[verb...]",
  summary:
    "a verb of the migrator as a Job of the local cluster: status, resolve, baseline, drift, compare, verify, sql, revert",
  use: "changes",
  passesOptions: true,
  async run(call: Call): Promise<number> {
    const { cloudDir, stack, output } = call;
    if (!(await running(cloudDir)))
      throw new CommandError(
        `The local cluster does not run, and nothing was changed. To start it: ${typed(call, "up")}`,
      );
    const words = [...call.arguments, "--stack", stack.name, ...(output.json ? ["--json"] : [])];
    const child = spawn(process.execPath, [START, "ops", ...words], {
      cwd: stack.directory,
      env: { ...process.env, ...toolsOf(cloudDir) },
      stdio: "inherit",
    });
    // A terminal sends Ctrl-C to both processes. This one waits until the other has removed its Job.
    const wait = () => {};
    process.on("SIGINT", wait);
    const [status] = await once(child, "exit");
    process.off("SIGINT", wait);
    return typeof status === "number" ? status : INTERRUPTED;
  },
};
