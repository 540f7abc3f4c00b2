import { randomUUID } from "node:crypto";
import type { Session } from "../../migrator/db/connection";
import { iamToken } from "../../migrator/db/iam-token";
import { describeTarget, type Target } from "../../migrator/db/url";
import type { Log } from "../../migrator/log";
import { formatBytes } from "../../text/bytes";
import { formatDuration } from "../../text/short-duration";
import { libpqConnection } from "../dump/libpq";
import type { Pod } from "../dump/pod";
import { CopyNameTaken, CreateDatabaseRefused, RestoreClientMissing, TargetNotEmpty } from "../failures/restoring";
import type { Manifest } from "../manifest";
import { readManifest } from "../read-dump";
import { JOBS_VARIABLE, OPTIONS_VARIABLE } from "../restore-pod";
import { inSession } from "../session";
import type { Store } from "../stores/store";
import { dropDatabase, findDatabase, unfinishedOf, writeMark } from "./copies";
import { createCopy } from "./creation";
import { databaseDifferences } from "./differences";
import { lockRestores } from "./lock";
import type { Mark } from "./mark";
import type { RestoreOptions } from "./options";
import { passDump } from "./pass-dump";
import { leftOutText } from "./pg-restore-error";
import { restoreSession } from "./session";

/** What a dump is restored with. */
export interface RestoreRun {
  readonly options: RestoreOptions;
  /** The stack's own database. */
  readonly source: Target;
  /** The database of `--into`; undefined: one is made beside the source. */
  readonly into: Target | undefined;
  readonly store: Store;
  readonly pod: Pod;
  readonly log: Log;
  /** The key of the dump's file; undefined for a dump that isn't encrypted. */
  readonly fileKey: Uint8Array | undefined;
  /** It is aborted by a signal, or when the time is over. */
  readonly signal: AbortSignal;
}

/**
 * Restores a dump into a second database. One that an earlier run has completed is kept; what a run that was killed has
 * left is removed first. A failure removes what was restored. The source's database is only read.
 */
export async function restoreDump(run: RestoreRun): Promise<void> {
  const { options, source, into, store, log, signal } = run;
  const manifest = await readManifest(store, options.dump ?? "");
  const client = checkedClient(run);
  const home = into ?? source;
  await inSession(home, restoreSession(options, log), async (session) => {
    log.event("connected", `Connected to ${describeTarget(home)}, with pg_restore ${client}.`);
    await session.run(session.serverVersion >= 140_000 ? "SET idle_session_timeout = 0" : "SELECT 1");
    const release = await lockRestores(session, options.copy, signal);
    try {
      const copy =
        into === undefined ? await besideSource(session, run, manifest) : await intoGiven(session, run, manifest);
      const target = into ?? { ...source, database: options.copy };
      if (copy !== "complete") await filled(session, { ...run, ...copy, target, manifest });
      await tellDifferences(run, target);
      const { host, port, database } = target;
      log.event("restore.copy", `The copy is ${describeTarget(target)}.`, { host, port, database });
    } finally {
      release();
    }
  });
}

/** A copy that is ready to be filled, and how it is removed again. */
interface Begun {
  readonly mark: Mark;
  /** Whether what the dump has is dropped first, because an earlier run has left some of it. */
  readonly clean: boolean;
  readonly remove: (session: Session) => Promise<void>;
}

/** Creates the copy as a database of the source's server, unless it is complete. */
async function besideSource(session: Session, run: RestoreRun, manifest: Manifest): Promise<Begun | "complete"> {
  const { options, source, log } = run;
  const name = options.copy;
  const found = await findDatabase(session, name);
  const ours = found?.mark?.dump === options.dump && found?.mark?.source === source.database;
  if (found && !found.unusable && !ours) throw new CopyNameTaken(name);
  if (found?.mark?.state === "complete" && !found.unusable) {
    log.event("restore.kept", `${name} is complete since an earlier run; it is kept.`);
    return "complete";
  }
  // The lock is held, so no other run works on what is unfinished.
  for (const leftover of await unfinishedOf(session, name)) {
    log.event("restore.leftover", `Dropping ${leftover}, which an earlier run has left unfinished.`);
    await dropDatabase(session, leftover);
  }
  run.signal.throwIfAborted();
  const mark = newMark(run, manifest);
  try {
    await createCopy(session, name, mark);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "42501") throw error;
    const [row] = await session.rows<{ role: string }>("SELECT current_user::text AS role");
    throw new CreateDatabaseRefused(row?.role ?? "", message);
  }
  log.event("restore.created", `Created database ${name}, beside ${source.database}.`);
  return { mark, clean: false, remove: (at) => removeOwn(at, name, mark) };
}

/** Drops the copy of a run, unless another run has begun it anew meanwhile. */
async function removeOwn(session: Session, name: string, { run }: Mark): Promise<void> {
  const found = await findDatabase(session, name);
  if (found?.mark?.run === run && found.mark.state === "restoring") await dropDatabase(session, name);
}

/** Takes the database of `--into`, unless it is complete. */
async function intoGiven(session: Session, run: RestoreRun, manifest: Manifest): Promise<Begun | "complete"> {
  const { options, source, log } = run;
  const { database, host, port } = session.target;
  if (host === source.host && port === source.port && database === source.database)
    throw new TargetNotEmpty(database, "it is the stack's own database");
  const found = await findDatabase(session, database);
  const ours = found?.mark?.dump === options.dump;
  if (ours && found?.mark?.state === "complete") {
    log.event("restore.kept", `${database} is complete since an earlier run; it is kept.`);
    return "complete";
  }
  const [row] = await session.rows<{ tables: number }>(
    `SELECT count(*)::int AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
  );
  const filledAlready = (row?.tables ?? 0) > 0;
  if (filledAlready && !ours) throw new TargetNotEmpty(database, `it has ${row?.tables} tables, views or sequences`);
  const mark = newMark(run, manifest);
  await writeMark(session, database, mark).catch((error: Error) =>
    log.event("restore.unmarked", `Note: ${database} can't be marked as a copy: ${error.message}.`),
  );
  return { mark, clean: filledAlready, remove: async () => undefined };
}

function newMark({ options, source }: RestoreRun, manifest: Manifest): Mark {
  const { project, stack, dump = "" } = options;
  const begunAt = new Date().toISOString();
  return {
    source: source.database,
    project,
    stack,
    dump,
    of: manifest.begunAt,
    begunAt,
    run: randomUUID(),
    state: "restoring",
  };
}

/** Fills a copy and completes it, or removes it again. */
async function filled(
  session: Session,
  { mark, clean, remove, target, manifest, ...run }: RestoreRun & Begun & { target: Target; manifest: Manifest },
): Promise<void> {
  const { options, pod, log } = run;
  const began = Date.now();
  try {
    const password = target.auth === "iam" ? await iamToken(target) : target.password;
    log.hide(password);
    const { variables, authorities } = await libpqConnection(target, password, pod.authorities);
    const wanted = clean ? "--clean --if-exists" : "";
    const connection = {
      variables: {
        ...{ ...variables, PGAPPNAME: "release-restore", [OPTIONS_VARIABLE]: wanted },
        ...(manifest.format === "directory" ? { [JOBS_VARIABLE]: String(options.jobs) } : {}),
      },
      authorities,
    };
    const leftOut = await passDump({ ...run, manifest, connection });
    await inSession(target, restoreSession(options, log), (at) =>
      writeMark(at, target.database, { ...mark, state: "complete" }).catch((error: { code?: string }) => {
        // The database of `--into` may belong to another role, and then has no mark at all.
        if (!options.into || error.code !== "42501") throw error;
      }),
    );
    if (leftOut.length > 0)
      log.event(
        "restore.left-out",
        ["Not restored, because this role may not:", ...leftOut.map((each) => `  ${leftOutText(each)}`)],
        {
          leftOut: leftOut.map(leftOutText),
        },
      );
    const took = formatDuration(Date.now() - began);
    log.event(
      "restore.filled",
      `pg_restore ended well: ${formatBytes(manifest.archiveBytes)} in ${took}; the file's sha-256 is that of its manifest.`,
      { bytes: manifest.fileBytes, milliseconds: Date.now() - began },
    );
  } catch (error) {
    pod.end();
    await removed(session, run, remove).catch((reason: Error) =>
      log.event(
        "restore.not-removed",
        `What was restored could not be removed now (${reason.message}); the next run does.`,
      ),
    );
    throw error;
  }
}

/** Removes what was restored, also if the session that began it is lost. */
async function removed(session: Session, { source, options, log }: RestoreRun, remove: Begun["remove"]): Promise<void> {
  if (session.lost === undefined) await remove(session);
  else await inSession(source, restoreSession(options, log), remove);
}

async function tellDifferences({ options, source, log }: RestoreRun, target: Target): Promise<void> {
  const differences = await inSession(source, restoreSession(options, log), (there) =>
    inSession(target, restoreSession(options, log), (here) => databaseDifferences(there, here)),
  ).catch((error: Error) => {
    // A source that can't be reached any more is a reason to restore, and none to fail.
    if (!options.into) throw error;
    log.event("restore.not-compared", `The copy is not compared with the source: ${error.message}`);
    return [];
  });
  log.event("restore.differences", "", { differences: JSON.stringify(differences) });
}

/** @returns the version of `pg_restore` */
function checkedClient({ pod, options }: RestoreRun): string {
  const [version] = /(\d+)(?:\.\d+|devel|beta\d*|rc\d*)*/.exec(pod.read("clientVersion") ?? "") ?? [];
  if (version === undefined) throw new RestoreClientMissing(options.image);
  return version;
}
