import { createHash, randomUUID } from "node:crypto";
import { escapeIdentifier, escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import type { Session } from "../db/connection";

/** A row of `_prisma_migrations`. */
export interface HistoryRow {
  readonly id: string;
  readonly checksum: string;
  readonly migrationName: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly rolledBackAt: Date | null;
  readonly logs: string | null;
  readonly appliedSteps: number;
}

/** Prisma's history table in the schema that the connection string names. The statements are Prisma's own. */
export class HistoryTable {
  readonly name: string;

  constructor(readonly schema: string) {
    this.name = `${escapeIdentifier(schema)}."_prisma_migrations"`;
  }

  async exists(session: Session): Promise<boolean> {
    const [row] = await session.rows<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [this.name]);
    return row!.found;
  }

  /** Reads all rows in the order in which Prisma reads them; empty if the table doesn't exist. */
  async read(session: Session): Promise<HistoryRow[]> {
    if (!(await this.exists(session))) return [];
    return session.rows<HistoryRow>(
      `SELECT id, checksum, migration_name AS "migrationName", started_at AS "startedAt", finished_at AS "finishedAt",
         rolled_back_at AS "rolledBackAt", logs, applied_steps_count AS "appliedSteps"
       FROM ${this.name} ORDER BY started_at, migration_name`,
    );
  }

  /**
   * Returns the statements that create the table as Prisma does (prisma-engines, sql-schema-connector, postgres
   * flavour), and its schema if that is missing. The caller has checked that the table doesn't exist.
   */
  async creation(session: Session): Promise<string[]> {
    const [row] = await session.rows<{ found: boolean }>("SELECT to_regnamespace($1) IS NOT NULL AS found", [
      escapeIdentifier(this.schema),
    ]);
    // CREATE SCHEMA IF NOT EXISTS would require the right to create a schema even if it exists.
    const schema = row!.found ? [] : [`CREATE SCHEMA ${escapeIdentifier(this.schema)}`];
    // There is no IF NOT EXISTS, because a table that somebody else created a moment ago must not be used.
    const table = `CREATE TABLE ${this.name} (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`;
    return [...schema, table];
  }

  /**
   * Returns the statement that inserts the row of a migration that the same transaction applies.
   * @param startedAt SQL for the time, by the server's clock as for every row, so that the rows are in order
   */
  appliedRow(migration: Migration, startedAt = "pg_catalog.now()"): string {
    return `INSERT INTO ${this.name} (id, checksum, started_at, finished_at, migration_name, applied_steps_count) VALUES (${[
      escapeLiteral(randomUUID()),
      escapeLiteral(migration.checksum),
      startedAt,
      "pg_catalog.clock_timestamp()",
      escapeLiteral(migration.name),
      "1",
    ].join(", ")})`;
  }

  /**
   * Returns the statement that inserts the row of a migration that is about to run in steps. Prisma sees the migration
   * as unfinished until the row is finished.
   */
  startedRow(id: string, migration: Migration): string {
    return `INSERT INTO ${this.name} (id, checksum, started_at, migration_name) VALUES (${escapeLiteral(id)}, ${escapeLiteral(
      migration.checksum,
    )}, pg_catalog.clock_timestamp(), ${escapeLiteral(migration.name)})`;
  }

  finishRow(id: string, migration: Migration): string {
    return `UPDATE ${this.name} SET finished_at = pg_catalog.clock_timestamp(), logs = NULL, applied_steps_count = 1, checksum = ${escapeLiteral(
      migration.checksum,
    )} WHERE id OPERATOR(pg_catalog.=) ${escapeLiteral(id)}`;
  }
}

/**
 * Returns whether the checksum is that of the migration, also with other line ends, as Prisma does
 * (migrations_directory.rs, `matches_checksum`).
 */
export function matchesChecksum(migration: Migration, checksum: string): boolean {
  if (migration.checksum === checksum) return true;
  const sum = (text: string) => createHash("sha256").update(text).digest("hex");
  const unix = migration.sql.replaceAll("\r\n", "\n");
  return sum(unix) === checksum || sum(unix.replaceAll("\n", "\r\n")) === checksum;
}

const MARK = "release: stands for ";

/**
 * Returns the text for the `logs` of a squashed migration's row, which Prisma does not read. It lists the migrations
 * that the row stands for.
 */
export function standsForMark(names: readonly string[]): string {
  return `${MARK}${JSON.stringify(names)}`;
}

/** Returns the names of the migrations that a row stands for, which its `logs` list. */
export function standsFor({ logs }: HistoryRow): string[] {
  if (!logs?.startsWith(MARK)) return [];
  try {
    const names: unknown = JSON.parse(logs.slice(MARK.length));
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
