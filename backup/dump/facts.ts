import { tableSizes } from "../../migrator/checks/table-sizes";
import { Session } from "../../migrator/db/connection";
import { translateError } from "../../migrator/db/translate-error";
import type { Target } from "../../migrator/db/url";
import { UNTOUCHED } from "../../migrator/failures/failure";
import type { Log } from "../../migrator/log";
import { HistoryTable } from "../../migrator/records/history-table";
import { refuseForeignRecords } from "../../migrator/records/record-tables";
import { formatDuration } from "../../text/short-duration";
import { DumpQueryRefused, DumpRightsMissing } from "../failures/dump";
import type { Manifest } from "../manifest";

/** What the database itself tells for the manifest. */
export type DatabaseFacts = Pick<Manifest, "database" | "server" | "tables"> & {
  readonly serverMajor: number;
  /** The migrations that the database has, in the order in which they were applied. */
  readonly applied: { readonly names: readonly string[] };
};

/** The signal of work that no signal ends, because it is short. */
const NEVER = new AbortController().signal;

/** Opens a session for a short work, and closes it, because `pg_dump` may need the last connection of the role. */
export async function inSession<T>(
  target: Target,
  { log, connectWait }: { log: Log; connectWait: number },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.open(target, {
    applicationName: "release-dump",
    connectWait,
    onWait: (reason) =>
      log.event("connect.waiting", `No connection yet (${reason}); trying again for ${formatDuration(connectWait)}.`, {
        reason,
      }),
  });
  try {
    return await work(session);
  } catch (error) {
    throw translateError(
      error,
      { session, signal: NEVER },
      { afterStop: UNTOUCHED, afterLoss: UNTOUCHED, refused: refusal },
    );
  } finally {
    await session.close();
  }
}

function refusal({ code, message }: Error & { code: string }): Error {
  return code === "42501" ? new DumpRightsMissing([message]) : new DumpQueryRefused(`${message} (SQLSTATE ${code})`);
}

/** Reads what the manifest says of the database. It changes nothing. */
export async function readFacts(session: Session): Promise<DatabaseFacts> {
  const { target } = session;
  const table = new HistoryTable(target.schema);
  await refuseForeignRecords(session, table);
  const [row] = await session.rows<{ server: string; bytes: number }>(
    `SELECT current_setting('server_version') AS server, pg_database_size(current_database())::float8 AS bytes`,
  );
  const rows = await table.read(session);
  const applied = rows.filter(({ finishedAt, rolledBackAt }) => finishedAt !== null && rolledBackAt === null);
  return {
    serverMajor: Math.floor(session.serverVersion / 10_000),
    server: row!.server,
    database: { name: target.database, bytes: row!.bytes },
    tables: await tableSizes(session, "all"),
    applied: { names: applied.map(({ migrationName }) => migrationName) },
  };
}
