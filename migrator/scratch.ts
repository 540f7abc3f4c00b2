import { randomBytes } from "node:crypto";
import { counted } from "../migrations/counted";
import type { Migration } from "../migrations/history";
import { loadParser } from "../migrations/plan";
import { type Catalog, readCatalog } from "./catalog";
import { Session } from "./connection";
import { quoteName } from "./history-table";
import { planOf } from "./plans";
import type { Run } from "./run";

/** Longest time that the whole history may take on the empty scratch database. */
const LIMIT = 120_000;

/** Why something can't be found out on a scratch database. */
export interface Unknown {
  readonly unknown: string;
}

/** What a history makes, found by running it on a database that is dropped again; or why that can't be found out. */
export function catalogOfHistory(run: Run, migrations: readonly Migration[]): Promise<{ catalog: Catalog } | Unknown> {
  return onScratch(run, migrations, async (scratch) => ({ catalog: await readCatalog(scratch) }));
}

/** Runs a history on a database that is dropped again, and then looks at it; or says why that can't be done. */
export async function onScratch<T>(
  run: Run,
  migrations: readonly Migration[],
  look: (scratch: Session) => Promise<T>,
): Promise<T | Unknown> {
  const { session, table, log } = run;
  const [may] = await session.rows<{ may: boolean }>(
    "SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user",
  );
  if (!may!.may) return { unknown: "the role may not create a scratch database" };
  const name = `release_scratch_${randomBytes(6).toString("hex")}`;
  log.event("scratch", `Running ${counted(migrations.length, "migration")} on a scratch database, ${name}.`);
  await session.run(`CREATE DATABASE ${quoteName(name)} TEMPLATE template0`);
  try {
    const scratch = await Session.open(
      { ...session.target, database: name },
      { applicationName: "release-scratch", connectWait: 0 },
    );
    try {
      return (await replay(scratch, migrations, table.schema, run.signal)) ?? (await look(scratch));
    } finally {
      await scratch.close();
    }
  } finally {
    const force = session.serverVersion >= 130_000 ? " WITH (FORCE)" : "";
    await session.run(`DROP DATABASE IF EXISTS ${quoteName(name)}${force}`);
  }
}

async function replay(
  scratch: Session,
  migrations: readonly Migration[],
  schema: string,
  signal: AbortSignal,
): Promise<Unknown | undefined> {
  const until = Date.now() + LIMIT;
  await loadParser();
  await scratch.run(
    `CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}; SET search_path = ${quoteName(schema)}; SET statement_timeout = '60s'; SET client_min_messages = error`,
  );
  for (const migration of migrations) {
    signal.throwIfAborted();
    if (Date.now() > until) return { unknown: `the history takes longer than ${LIMIT / 1000} s` };
    const plan = planOf(migration);
    try {
      if (plan.mode === "transaction" || plan.error) await scratch.run(migration.sql.replace(/^\ufeff/, ""));
      else for (const { text } of plan.statements) await scratch.run(text);
    } catch (error) {
      return { unknown: `${migration.name} doesn't run on an empty database: ${(error as Error).message}` };
    }
    await scratch.run(`SET search_path = ${quoteName(schema)}`);
  }
  return undefined;
}
