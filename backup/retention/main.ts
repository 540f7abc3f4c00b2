import { reportFailure } from "../../migrator/cli/report-failure";
import { OLD_VERSION_SERVES } from "../../migrator/failures/failure";
import { Log } from "../../migrator/log";
import { STORE_SECRETS, storeAt } from "../stores/place";
import { readPruneOptions } from "./options";
import { pruneDumps } from "./prune-dumps";

/** The exit status if a dump that should go could not be removed. */
const NOT_REMOVED = 1;

/** The program that removes old dumps from their store. `ops prune` runs it in the cluster, and reads its log. */
async function main(args: readonly string[]): Promise<number> {
  const log = new Log("json");
  try {
    for (const name of STORE_SECRETS) log.hide(process.env[name] ?? "");
    const { store, ...options } = readPruneOptions(args);
    const stop = new AbortController();
    process.on("SIGTERM", () => stop.abort());
    const retention = { ...options, now: new Date() };
    const all = await pruneDumps({ ...options, store: storeAt(store), retention, log, signal: stop.signal });
    return all ? 0 : NOT_REMOVED;
  } catch (error) {
    const migrator = (verb: string) => `npm run migrator -- ${verb}`;
    return reportFailure(error, log, { rerun: "the same command again", app: OLD_VERSION_SERVES, migrator });
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
