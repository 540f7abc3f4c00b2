import { readTarget } from "../../migrator/cli/read-target";
import { reportFailure } from "../../migrator/cli/report-failure";
import { OLD_VERSION_SERVES, UNTOUCHED } from "../../migrator/failures/failure";
import { Stopped } from "../../migrator/failures/statement";
import { Log } from "../../migrator/log";
import { DumpTooSlow } from "../failures/dump";
import { STORE_SECRETS, storeAt } from "../stores/place";
import { type DumpOptions, readOptions } from "./options";
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
    const ended = endings(options);
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

/** Returns a signal that is aborted, with the failure as its reason, by SIGTERM or when the time is over. */
function endings({ timeout }: DumpOptions): { signal: AbortSignal; release: () => void } {
  const over = new AbortController();
  const stop = (name: NodeJS.Signals) => over.abort(new Stopped(name === "SIGINT" ? "SIGINT" : "SIGTERM", UNTOUCHED));
  const timer = setTimeout(() => over.abort(new DumpTooSlow(timeout.text)), timeout.milliseconds);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return {
    signal: over.signal,
    release: () => {
      clearTimeout(timer);
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
    },
  };
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
