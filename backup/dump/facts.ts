import { tableSizes } from "../../migrator/checks/table-sizes";
import type { Session } from "../../migrator/db/connection";
import { HistoryTable } from "../../migrator/records/history-table";
import { refuseForeignRecords } from "../../migrator/records/record-tables";
import { DumpQueryRefused, DumpRightsMissing } from "../failures/dump";
import type { Manifest } from "../manifest";
import type { SessionOptions } from "../session";

/** What the database itself tells for the manifest. */
export type DatabaseFacts = Pick<Manifest, "database" | "server" | "tables"> & {
  readonly serverMajor: number;
  /** The migrations that the database has, in the order in which they were applied. */
  readonly applied: { readonly names: readonly string[] };
};

/** How the sessions beside `pg_dump` are opened. */
export function dumpSession({ log, connectWait }: Pick<SessionOptions, "log" | "connectWait">): SessionOptions {
  return { log, connectWait, applicationName: "release-dump", refused: refusal };
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
