import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTarget } from "../../migrator/cli/read-target";
import { reportFailure } from "../../migrator/cli/report-failure";
import type { Session } from "../../migrator/db/connection";
import type { Target } from "../../migrator/db/url";
import { OLD_VERSION_SERVES } from "../../migrator/failures/failure";
import { Log } from "../../migrator/log";
import { Pod } from "../dump/pod";
import { RestoreTooSlow } from "../failures/restoring";
import { KEY_FILE } from "../restore-pod";
import { inSession } from "../session";
import { STORE_SECRETS, storeAt } from "../stores/place";
import { type WorkEnd, watchEnd } from "../work-end";
import { look } from "./look";
import { type RestoreOptions, readRestoreOptions } from "./options";
import { removeCopy } from "./removal";
import { restoreDump } from "./restore-dump";
import { restoreSession } from "./session";
import { removedAtEnd } from "./state";

/** The variable with the connection string of the database that `--into` names. */
const INTO_VARIABLE = "INTO_URL";

/**
 * The program that restores a dump into a second database, beside the container of `pg_restore`. It also looks at what
 * there is, and removes a copy. Its log is read by the command `restore`, so it is JSON.
 */
async function main(args: readonly string[]): Promise<number> {
  const log = new Log("json");
  let rerun = "run the same command again";
  let ended: WorkEnd | undefined;
  try {
    for (const name of STORE_SECRETS) log.hide(process.env[name] ?? "");
    const options = readRestoreOptions(args, process.env);
    ({ rerun } = options);
    const { timeout, copy } = options;
    ended = watchEnd(timeout.milliseconds, () => new RestoreTooSlow(timeout.text, removedAtEnd(copy)));
    await work(options, ended.signal, log);
    return 0;
  } catch (error) {
    const commands = { rerun, app: OLD_VERSION_SERVES, migrator: (verb: string) => `npm run migrator -- ${verb}` };
    // What the end of the work itself broke says nothing of its own.
    return reportFailure(ended?.signal.aborted ? ended.signal.reason : error, log, commands);
  } finally {
    ended?.release();
  }
}

async function work(options: RestoreOptions, signal: AbortSignal, log: Log): Promise<void> {
  const source = readTarget(options, log);
  const into = options.into ? intoTarget(options, log) : undefined;
  const store = storeAt(options);
  const at = <T>(does: (session: Session) => Promise<T>) =>
    inSession(into ?? source, restoreSession(options, log), does);
  if (options.verb === "remove") return at((session) => removeCopy(session, options.copy, options.force));
  if (options.verb === "look") {
    const seen = await at((session) => look(session, store, options.noDump ? null : options.dump));
    log.event("restore.look", "", { look: JSON.stringify(seen) });
    return;
  }
  const pod = new Pod(options.folder);
  try {
    await restoreDump({ options, source, into, store, pod, log, fileKey: fileKey(options, log), signal });
  } finally {
    pod.end();
  }
}

function intoTarget(options: RestoreOptions, log: Log): Target {
  const url = process.env[INTO_VARIABLE] ?? "";
  return readTarget({ ...options, connection: { form: "url", url } }, log);
}

/** Reads the key of the one file that is restored; undefined if the pod has none, because the dump isn't encrypted. */
function fileKey({ keyFolder }: RestoreOptions, log: Log): Uint8Array | undefined {
  try {
    const text = readFileSync(join(keyFolder, KEY_FILE), "utf8");
    log.hide(text);
    return Buffer.from(text, "base64");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
