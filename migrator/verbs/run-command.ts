import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { plannedEffects } from "../apply/planned-effects";
import { analyzeTables } from "../checks/analyze";
import { countRows } from "../checks/counts";
import { readHistory } from "../checks/history-gate";
import { publishUnchanged } from "../checks/publish-report";
import { behindBefore } from "../checks/sequences";
import { checkSnapshot, checkSnapshotDatabase, protectingBackup } from "../checks/snapshot-gate";
import { verify } from "../checks/verify";
import { Session } from "../db/connection";
import { iamToken, urlWithToken } from "../db/iam-token";
import { releaseLock, takeLock } from "../db/lock";
import { quietOutput, quietText } from "../db/prisma-output";
import { withSessionOptions } from "../db/url-options";
import { CommandCantHold, CommandFailed, CommandWentFurther, LeftUnfinished } from "../failures/command";
import { Stopped } from "../failures/statement";
import { compareHistory, type HistoryState } from "../records/history-state";
import type { HistoryRow } from "../records/history-table";
import { appliedSinceVerified } from "../records/release-records";
import { recordCounters } from "../records/write-counters";
import type { Run } from "../run";
import { type CommandEnd, runToEnd } from "./command-process";
import { describeDiagnosis, diagnose } from "./diagnosis";
import { recordHotfixes } from "./hotfixes";

/**
 * Lets a command of the app's image migrate, such as `npx prisma migrate deploy`, in the place of `deploy`. The history
 * and the snapshot are checked before it, its connection string sets our lock_timeout, and the same verification
 * follows it. The command is run once: what it leaves half done is explained, and not tried again.
 * @throws LeftUnfinished, CommandCantHold, HotfixUndecided, CommandWentFurther, CommandFailed, Stopped, and the failures of these checks
 */
export async function runCommand(run: Run, migrations: readonly Migration[]): Promise<void> {
  const { session, table, settings, log, records, signal } = run;
  await explainUnfinished(run, migrations, await table.read(session), "An earlier run");
  const found = await readHistory(run, migrations);
  await refuseContract(run, found);
  const history = await withHotfixesRecorded(run, migrations, found);
  const rows = await table.read(session);
  checkSnapshot((await protectingBackup(run))?.backup, history.pending.length);
  await checkSnapshotDatabase(run, history.pending.length);
  await Promise.all([loadParser(), history.pending.length > 0 ? records.ensure() : undefined]);
  if (history.pending.length > 0) await recordCounters(records, "before-migrations");
  const planned = plannedEffects(run.plans, [], history.pending, table.schema);
  const before = await countRows(
    session,
    planned.tables.map((each) => each.table),
  );
  const behind = await behindBefore(run, history.applied, history.pending.length > 0);

  signal.throwIfAborted();
  const began = Date.now();
  const text = settings.command.join(" ");
  log.event(
    "command.started",
    `${history.pending.length} of ${migrations.length} migrations are pending. Running: ${text}`,
    {
      command: text,
      pending: history.pending.length,
    },
  );
  tellVersion(run);
  const tag = `release-command-${randomBytes(4).toString("hex")}`;
  const quiet = settings.showValues ? (line: string) => line : quietOutput();
  let hidden = 0;
  const end = await runToEnd({
    command: settings.command,
    environment: await environmentOf(run, tag),
    timeout: settings.commandTimeout,
    signal,
    onLine: (line) => {
      const text = quiet(line);
      if (text === undefined) hidden++;
      else log.event("command.output", `  | ${text}`, {});
      return text;
    },
  });
  if (hidden > 0)
    log.event(
      "command.hidden",
      `  ${counted(hidden, "line")} of its output not shown, because values of rows may be in it (--show-values shows all).`,
      { hidden },
    );
  if (end.outcome === "stopped" || end.outcome === "timed-out") await endSessions(run, tag);
  if (end.outcome === "stopped")
    throw new Stopped(
      signal.reason,
      "the command was stopped, and its sessions ended; a migration that it was in the middle of is unfinished, and the next run says what of it is applied.",
    );

  const after = await table.read(session);
  const duration = Date.now() - began;
  const judged = compareHistory(migrations, after);
  await records.audit({
    event: "command.ended",
    data: { command: text, problem: end.problem ?? null, duration, applied: namesSince(rows, after) },
  });
  await explainUnfinished(run, migrations, after, `The command "${text}"`);
  refuseOthers(history, judged);
  if (end.problem !== undefined || end.outcome !== "ended")
    throw new CommandFailed(
      text,
      problemOf(end, settings.commandTimeout),
      end.last.slice(-15),
      stateOf(judged, rows, after),
    );
  log.event("command.finished", `The command succeeded in ${formatDuration(duration)}.`, { duration });

  // If an earlier run was killed before its verification, what it applied is verified too.
  const unverified = (await records.readable()) ? await appliedSinceVerified(records, judged.applied) : [];
  if (history.pending.length === 0 && unverified.length === 0) return publishUnchanged(run);
  const effects = history.pending.length > 0 ? planned : plannedEffects(run.plans, [], unverified, table.schema);
  await analyzeTables(run, effects.all);
  await verify(run, migrations, { ...effects, before, behindBefore: behind });
}

/**
 * Ends the run if a migration neither finished nor was rolled back.
 * @throws LeftUnfinished with what is really applied of the first such migration
 */
async function explainUnfinished(
  run: Run,
  migrations: readonly Migration[],
  rows: readonly HistoryRow[],
  who: string,
): Promise<void> {
  const [row] = compareHistory(migrations, rows).unfinished;
  if (!row) return;
  const migration = migrations.find(({ name }) => name === row.migrationName);
  const logs = row.logs ?? "";
  const said = (run.settings.showValues ? logs.trim().split("\n") : quietText(logs)).slice(0, 8);
  if (!migration) throw new LeftUnfinished(row.migrationName, who, said, "unknown");
  const diagnosis = await diagnose(run, migrations, migration);
  throw new LeftUnfinished(
    migration.name,
    who,
    [...said.map((line) => `  ${line}`), ...describeDiagnosis(migration.name, diagnosis)],
    diagnosis.applied,
  );
}

/**
 * Refuses a pending contract migration. Before a first release it is allowed, because there are no old pods that it
 * could break.
 * @throws CommandCantHold
 */
async function refuseContract({ settings, plans }: Run, { applied, pending }: HistoryState): Promise<void> {
  if (!settings.holdContract || applied.length === 0 || pending.length === 0) return;
  await loadParser();
  const held = pending.find((migration) => plans.of(migration).contract);
  if (held) throw new CommandCantHold(held.name);
}

/** Records the hotfixes whose effects are there, so that they are not pending for the command. */
async function withHotfixesRecorded(
  run: Run,
  migrations: readonly Migration[],
  found: HistoryState,
): Promise<HistoryState> {
  const { session, settings, log, signal } = run;
  if (!found.pending.some(({ sql }) => /hotfix/i.test(sql))) return found;
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    return await recordHotfixes(run, migrations, await readHistory(run, migrations));
  } finally {
    // The command takes the same lock.
    await releaseLock(session);
  }
}

function refuseOthers(before: HistoryState, after: HistoryState): void {
  const known = new Set(before.missing.map(({ migrationName }) => migrationName));
  const others = after.missing.map(({ migrationName }) => migrationName).filter((name) => !known.has(name));
  if (others.length > 0) throw new CommandWentFurther(others);
}

function problemOf({ outcome, problem }: CommandEnd, timeout: number): string {
  if (outcome === "timed-out") return `it ran longer than ${formatDuration(timeout)}, and was ended`;
  if (outcome === "missing") return `${problem} in the image`;
  return problem ?? "it did not say why";
}

function stateOf({ pending }: HistoryState, before: readonly HistoryRow[], after: readonly HistoryRow[]): string {
  const names = namesSince(before, after);
  const applied = names.length === 0 ? "it applied no migration" : `it applied ${names.join(", ")}, which stay`;
  return `${applied}; no migration is unfinished, ${pending.length} ${pending.length === 1 ? "is" : "are"} pending.`;
}

/** Returns the names of the migrations that are recorded as applied now, and were not before. */
function namesSince(before: readonly HistoryRow[], after: readonly HistoryRow[]): string[] {
  const done = (rows: readonly HistoryRow[]) =>
    rows.filter((row) => row.finishedAt !== null && row.rolledBackAt === null).map((row) => row.migrationName);
  const known = new Set(done(before));
  return done(after).filter((name) => !known.has(name));
}

/**
 * Returns the environment of the command. Every variable in which a Prisma schema may look for the URL contains the
 * same one: the migration's own.
 */
async function environmentOf({ settings, session, log }: Run, tag: string): Promise<NodeJS.ProcessEnv> {
  // The setting is used only if our own session has it (session-settings.ts), because not every server supports it.
  const [noticing] = await session.rows<{ set: boolean }>(
    "SELECT coalesce(current_setting('client_connection_check_interval', true), '0') <> '0' AS set",
  );
  const { target } = session;
  // The command logs in within the 15 minutes that the token holds, because it connects when it begins.
  const token = target.auth === "iam" ? await iamToken(target) : undefined;
  if (token !== undefined) log.hide(token);
  const given = token === undefined ? target.url : urlWithToken(target.url, token);
  const url = withSessionOptions(given, {
    lock_timeout: settings.lockTimeout,
    statement_timeout: settings.statementTimeout,
    application_name: tag,
    // The server then notices within seconds that the command is gone, even in the middle of a statement.
    ...(noticing!.set ? { client_connection_check_interval: 2000 } : {}),
  });
  log.hide(url);
  // The password is also hidden as it is written in the URL, which may differ from how this program would encode it.
  log.hide(/:\/\/[^/?#]*?:([^/?#]*)@/.exec(given)?.[1] ?? "");
  const names = ["DATABASE_URL", "DIRECT_URL", ...settings.urlVariables];
  return {
    // These variables turn off the CLI's questions, downloads and update messages. The setting migrations.env overrides
    // them.
    CHECKPOINT_DISABLE: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    npm_config_yes: "false",
    npm_config_update_notifier: "false",
    NO_COLOR: "1",
    ...process.env,
    ...Object.fromEntries(names.map((name) => [name, url])),
  };
}

/** The first version, major and minor, whose Prisma CLI sends a file statement by statement (prisma-engines#5767). */
const SPLITS_FILES = [7, 4];

/** Logs which Prisma CLI the image has, if it is where npm installs it. */
function tellVersion({ log }: Run): void {
  let version: string;
  try {
    const manifest = readFileSync(join(process.cwd(), "node_modules/prisma/package.json"), "utf8");
    version = (JSON.parse(manifest) as { version: string }).version;
  } catch {
    return;
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const atomic = major < SPLITS_FILES[0]! || (major === SPLITS_FILES[0] && minor < SPLITS_FILES[1]!);
  log.event(
    "command.prisma",
    `Prisma CLI ${version}${atomic ? "" : ". Warning: it sends a migration statement by statement; one that fails leaves those before it applied."}`,
    { version, atomic },
  );
}

/**
 * Ends the sessions of the command, which have the tag as their application name. Processes that the command started
 * may outlive it and go on in the database.
 */
async function endSessions({ session, log }: Run, tag: string): Promise<void> {
  try {
    const other = await Session.open(session.target, { applicationName: "release-migrator", connectWait: 2_000 });
    try {
      await other.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [tag]);
    } finally {
      await other.close();
    }
  } catch (error) {
    log.event("command.sessions", `Warning: sessions of the command may be left: ${(error as Error).message}`, {});
  }
}
