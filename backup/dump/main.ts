import { readTarget } from "../../migrator/cli/read-target";
import { reportFailure } from "../../migrator/cli/report-failure";
import { OLD_VERSION_SERVES } from "../../migrator/failures/failure";
import { Log } from "../../migrator/log";
import { DumpTooSlow } from "../failures/dump";
import { STORE_SECRETS, storeAt } from "../stores/place";
import { watchEnd } from "../work-end";
import { readOptions } from "./options";
import { Pod } from "./pod";
import { takeDump } from "./take-dump";

/**
 * The program that stores the dump of a release. It runs beside the container of `pg_dump`, which makes the archive, and
 * it alone decides whether the dump is good.
 */
async function main(args: readonly string[]): Promise<number> {
  const log = new Log("text");
  const migrator = (verb: string) => `npm run migrator -- ${verb}`;
  const commands = { rerun: "run the same command again", app: OLD_VERSION_SERVES, migrator };
  let pod: Pod | undefined;
  try {
    for (const name of STORE_SECRETS) log.hide(process.env[name] ?? "");
    const options = readOptions(args, process.env);
    pod = new Pod(options.folder);
    const { timeout } = options;
    const ended = watchEnd(timeout.milliseconds, () => new DumpTooSlow(timeout.text));
    try {
      const target = readTarget(options, log);
      await takeDump({ options, target, store: storeAt(options), pod, log, signal: ended.signal });
      log.event("dump.finished", "The dump is complete and checked; the migration may start.");
      return 0;
    } catch (error) {
      // What the end of the work itself broke says nothing of its own.
      throw ended.signal.aborted ? (ended.signal.reason as Error) : error;
    } finally {
      ended.release();
    }
  } catch (error) {
    return reportFailure(error, log, commands);
  } finally {
    pod?.end();
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
