import { reportFailure } from "../../migrator/cli/report-failure";
import { OLD_VERSION_SERVES } from "../../migrator/failures/failure";
import { Log } from "../../migrator/log";
import { NEON_KEY_VARIABLE } from "../../settings/neon";
import { NeonApi } from "../neon/api";
import { neonFailure } from "../neon/failure";
import { STORE_SECRETS, storeAt } from "../stores/place";
import { branchStore } from "./branches";
import { dumpStore } from "./dumps";
import { readPruneOptions } from "./options";
import { pruneStore } from "./prune";

/** The exit status if a backup that should go could not be removed. */
const NOT_REMOVED = 1;

/** The program that removes old dumps or branches from where they are. `ops prune` runs it in the cluster, and reads its log. */
async function main(args: readonly string[]): Promise<number> {
  const log = new Log("json");
  try {
    for (const name of [...STORE_SECRETS, NEON_KEY_VARIABLE]) log.hide(process.env[name]?.trim() ?? "");
    const { place, owner, ...options } = readPruneOptions(args, process.env);
    const stop = new AbortController();
    process.on("SIGTERM", () => stop.abort());
    const work = { ...options, retention: { ...options, now: new Date() }, log, signal: stop.signal };
    const all =
      place.kind === "dumps"
        ? await pruneStore(await dumpStore(storeAt(place.store), owner), work)
        : await asked(place, (api) => branchStore(api, owner).then((store) => pruneStore(store, work)));
    return all ? 0 : NOT_REMOVED;
  } catch (error) {
    const migrator = (verb: string) => `npm run migrator -- ${verb}`;
    return reportFailure(error, log, { rerun: "the same command again", app: OLD_VERSION_SERVES, migrator });
  }
}

/** The longest time for everything at Neon, in milliseconds, with its waiting for other operations. */
const NEON_MS = 5 * 60_000;

async function asked<T>(
  { project, endpoint, key }: { project: string; endpoint: string; key: string },
  work: (api: NeonApi) => Promise<T>,
): Promise<T> {
  try {
    return await work(new NeonApi({ project, endpoint, key, signal: AbortSignal.timeout(NEON_MS) }));
  } catch (error) {
    throw neonFailure(error, project);
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
