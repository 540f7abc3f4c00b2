import { setTimeout as pause } from "node:timers/promises";
import { type Client, escapeIdentifier } from "pg";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { connect, connectionLost, isConnectionLoss } from "../db/connection";
import { describeTarget, type Target } from "../db/url";
import { ConnectionLost } from "../failures/connection";
import { HistoryUnreadable, NotMigrated } from "../failures/wait";
import type { Log } from "../log";
import { HistoryTable } from "../records/history-table";

/** What is waited for. */
interface Awaited {
  /** The names of the migrations, oldest first. */
  readonly migrations: readonly string[];
  /** The longest time to wait, in milliseconds. */
  readonly timeout: number;
}

/** The time between two questions to the database, in milliseconds. */
const PAUSE = 2_000;
/** The time between two log lines, in milliseconds. */
const REMINDER = 30_000;
/** The longest time for the answer to one question, in milliseconds. */
const LONGEST_ANSWER = 10_000;

/**
 * Waits until the database has the migrations applied. It takes no lock, changes nothing, and uses one connection for a
 * moment at a time, which may lead through a pooler. Migrations that the database has besides don't matter: an older
 * version of the app may start beside a newer one.
 * @throws NotMigrated, HistoryUnreadable, and the failures of a connection
 */
export async function waitForMigrations(target: Target, { migrations, timeout }: Awaited, log: Log): Promise<void> {
  const began = Date.now();
  const until = began + timeout;
  for (let reminded = 0; ; ) {
    const missing = await missingMigrations(target, migrations, until).catch((error) => {
      // The server may be restarting. What is wrong with the login is not tried again.
      if (!(error instanceof ConnectionLost) || Date.now() >= until) throw error;
      log.event("wait.lost", `${error.message} Asking again.`);
      return migrations;
    });
    if (missing.length === 0) {
      const last = migrations.at(-1)!;
      log.event("wait.over", `The ${describeTarget(target)} has ${last}.`, { waited: Date.now() - began });
      return;
    }
    const left = until - Date.now();
    if (left <= 0) throw new NotMigrated(describeTarget(target), missing, formatDuration(timeout));
    if (Date.now() - reminded >= REMINDER) {
      reminded = Date.now();
      const text = `Waiting up to ${formatDuration(Math.ceil(left / 1000) * 1000)} for ${counted(missing.length, "migration")}: ${missing.join(", ")}`;
      log.event("wait.waiting", text, { missing });
    }
    await pause(Math.min(PAUSE, left));
  }
}

async function missingMigrations(
  target: Target,
  migrations: readonly string[],
  until: number,
): Promise<readonly string[]> {
  const connectWait = Math.max(until - Date.now(), 0);
  const client = await connect(target, { applicationName: "release-schema-gate", connectWait });
  try {
    const applied = new Set(await answerOf(client, target, migrations));
    return migrations.filter((name) => !applied.has(name));
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** Returns those of the migrations that are applied. A database without a history has none. */
async function answerOf(client: Client, target: Target, migrations: readonly string[]): Promise<string[]> {
  const { name: table } = new HistoryTable(target.schema);
  // Every name has its schema, and no setting of the session is changed: a pooler may give the server's session to the
  // app's next transaction.
  const asked = client.query<{ name: string }>(
    `SELECT migration_name::pg_catalog.text AS name FROM ${table}
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL
       AND migration_name::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`,
    [migrations],
  );
  const late = new AbortController();
  const silence = pause(LONGEST_ANSWER, undefined, { signal: late.signal, ref: false }).then(() => {
    throw connectionLost(new Error(`the server did not answer within ${LONGEST_ANSWER / 1000} s.`));
  });
  silence.catch(() => undefined);
  try {
    return (await Promise.race([asked, silence])).rows.map(({ name }) => name);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // There is no such table or schema.
    if (code === "42P01" || code === "3F000") return [];
    if (code !== "42501") throw isConnectionLoss(error) ? connectionLost(error) : error;
    const schema = escapeIdentifier(target.schema);
    throw new HistoryUnreadable(message, { schema, table, role: escapeIdentifier(target.user) }, error);
  } finally {
    asked.catch(() => undefined);
    late.abort();
  }
}
