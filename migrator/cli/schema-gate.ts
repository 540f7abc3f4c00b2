import { POD_WAITS } from "../failures/failure";
import { Log } from "../log";
import { nextCommand } from "../next-command";
import { readSettings } from "./read-settings";
import { reportFailure } from "./report-failure";
import { runWait } from "./run-wait";

/**
 * The program of the init container that lets a pod start only where the database has the migrations of its release. It
 * is the migrator's verb `wait` and nothing else, so it is small.
 */
async function main(args: readonly string[]): Promise<number> {
  const log = new Log("text");
  try {
    return await runWait(readSettings(["wait", ...args], process.env), log);
  } catch (error) {
    const migrator = (verb: string) => nextCommand(verb, { stack: undefined, source: { directory: "DIR" } });
    return reportFailure(error, log, { rerun: "pulumi up", app: POD_WAITS, migrator });
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
