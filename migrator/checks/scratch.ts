import { randomBytes } from "node:crypto";
import { escapeIdentifier } from "pg";
import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import type { Catalog } from "../../migrations/schema/expectation";
import { parseScript } from "../../migrations/sql/parse";
import type { Defined } from "../../migrations/statements/replay-rules";
import { replayOf } from "../../migrations/statements/statements";
import { counted } from "../../text/counted";
import { Session } from "../db/connection";
import { migrationPath } from "../db/search-path";
import { noticeLostClient } from "../db/session-settings";
import type { Run } from "../run";
import { readCatalog } from "./catalog";
import { defaultPrivileges } from "./default-privileges";

/** The longest time that the whole history may take on the empty scratch database, in milliseconds. */
const LIMIT = 120_000;

/** The reason why something can't be found out on a scratch database. */
export interface Unknown {
  readonly unknown: string;
}

/**
 * Returns the catalog that a history produces, found by running it on a database that is dropped again; or the reason
 * why that can't be found out.
 */
export function catalogOfHistory(run: Run, migrations: readonly Migration[]): Promise<{ catalog: Catalog } | Unknown> {
  return onScratch(run, migrations, async (scratch) => ({ catalog: await readCatalog(scratch) }));
}

/**
 * Runs a history on a scratch database, calls `look` with it, and drops it again; or returns the reason why that can't
 * be done. The scratch database is on the same server as the real ones, so only statements that define things inside
 * one database are run there (see `migrations/statements/replay-rules.ts`).
 * @param others what a statement does that may not be run there: it is the reason why nothing can be found out, or it is
 *   left out
 */
export async function onScratch<T>(
  run: Run,
  migrations: readonly Migration[],
  look: (scratch: Session, defined: Defined) => Promise<T>,
  others: "refuse" | "skip" = "refuse",
): Promise<T | Unknown> {
  const { session, table, log, signal } = run;
  await loadParser();
  const defined: Defined = { functions: new Map() };
  const scripts = scriptsOf(run, migrations, { defined, others });
  if ("unknown" in scripts) return scripts;
  const [may] = await session.rows<{ may: boolean }>(
    "SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user",
  );
  if (!may!.may) return { unknown: "the role may not create a scratch database (it lacks CREATEDB)" };
  const id = randomBytes(6).toString("hex");
  const name = `${PREFIX}${id}`;
  log.event("scratch", `Running ${counted(migrations.length, "migration")} on a scratch database, ${name}.`);
  // The lock is held for as long as the database is in use. A scratch database whose lock nobody holds was left behind.
  await session.rows(`SELECT pg_advisory_lock(${lockKey(id)})`);
  await session.run(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE template0`);
  try {
    const scratch = await Session.open(
      { ...session.target, database: name },
      { applicationName: "release-scratch", connectWait: 0 },
    );
    const cancel = () => void scratch.cancel().catch(() => undefined);
    signal.addEventListener("abort", cancel);
    try {
      await noticeLostClient(scratch);
      const defaults = await defaultPrivileges(session, table.schema);
      return (await replay(scratch, scripts, table.schema, defaults, signal)) ?? (await look(scratch, defined));
    } finally {
      signal.removeEventListener("abort", cancel);
      await scratch.close();
    }
  } finally {
    if (session.lost === undefined) {
      await session.run(dropping(session, name));
      await session.rows(`SELECT pg_advisory_unlock(${lockKey(id)})`);
    }
  }
}

/**
 * Drops the scratch databases that a killed preflight left behind: those of this role, with this program's prefix, that
 * nobody uses.
 */
export async function dropLeftScratch({ session, log }: Run): Promise<void> {
  const left = await session.rows<{ name: string }>(
    `SELECT datname AS name FROM pg_database d WHERE datname ~ '^${PREFIX}[0-9a-f]{12}$' AND datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
       AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
         AND to_hex((classid::bigint << 32) | objid::bigint) = ltrim(substr(d.datname, ${PREFIX.length + 1}), '0'))`,
  );
  for (const { name } of left) {
    try {
      await session.run(dropping(session, name));
      log.event("scratch.dropped", `Dropped ${name}, a scratch database that a preflight left behind.`, {});
    } catch (error) {
      if (session.lost !== undefined) throw error;
      log.event(
        "scratch.left",
        `Warning: ${name}, a scratch database, can't be dropped: ${(error as Error).message}`,
        {},
      );
    }
  }
}

const PREFIX = "release_scratch_";

/** Returns the key of a scratch database's advisory lock: the 48 bits in the database's name. */
function lockKey(id: string): string {
  return BigInt(`0x${id}`).toString();
}

function dropping({ serverVersion }: Session, name: string): string {
  return `DROP DATABASE IF EXISTS ${escapeIdentifier(name)}${serverVersion >= 130_000 ? " WITH (FORCE)" : ""}`;
}

/** The statements of a migration that are run: in one message, as the whole file would be, or in one message each. */
interface Script {
  readonly name: string;
  readonly messages: readonly string[];
}

/**
 * Selects the statements of a history that are run.
 * @returns the reason instead, if a migration can't be read or has a statement that may not be run beside the real
 *   databases
 */
function scriptsOf(
  { plans }: Run,
  migrations: readonly Migration[],
  { defined, others }: { defined: Defined; others: "refuse" | "skip" },
): readonly Script[] | Unknown {
  const scripts: Script[] = [];
  for (const migration of migrations) {
    const { name, sql } = migration;
    const { mode, error } = plans.of(migration);
    if (error) return { unknown: `${name} is not SQL that can be read beforehand` };
    const texts: string[] = [];
    for (const { node, text, line } of parseScript(sql)) {
      const verdict = replayOf(node, defined);
      if (typeof verdict === "object" && others === "refuse")
        return { unknown: `${name}, line ${line}, is not run beside the real database: ${verdict.outside}` };
      if (verdict === "run") texts.push(text);
    }
    scripts.push({ name, messages: mode === "transaction" && texts.length > 0 ? [texts.join(";\n")] : texts });
  }
  return scripts;
}

async function replay(
  scratch: Session,
  scripts: readonly Script[],
  schema: string,
  defaults: readonly string[],
  signal: AbortSignal,
): Promise<Unknown | undefined> {
  const until = Date.now() + LIMIT;
  await scratch.run(
    `CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(schema)}; ${migrationPath(schema)}; SET statement_timeout = '60s'; SET client_min_messages = error`,
  );
  for (const statement of defaults) await scratch.run(statement);
  for (const { name, messages } of scripts) {
    try {
      for (const message of messages) {
        signal.throwIfAborted();
        if (Date.now() > until) return { unknown: `the history takes longer than ${LIMIT / 1000} s` };
        await scratch.run(message);
      }
    } catch (error) {
      signal.throwIfAborted();
      return { unknown: `${name} doesn't run on an empty database: ${(error as Error).message}` };
    }
    await scratch.run(migrationPath(schema));
  }
  return undefined;
}
