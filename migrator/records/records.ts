import { escapeLiteral } from "pg";
import type { Session } from "../db/connection";
import { ReadOnlyDatabase } from "../failures/connection";

/** The schema in which this program keeps its records. Prisma looks only at the schema of its connection string. */
const RECORDS_SCHEMA = "_release";

/** There is no IF NOT EXISTS, because a schema that somebody else created a moment ago must not be used. */
const SCHEMA = `
CREATE SCHEMA _release;
COMMENT ON SCHEMA _release IS 'Records of the release''s migrator: audit trail, records of each release, progress of migrations that run in steps.';`;

const TABLES = `
CREATE TABLE IF NOT EXISTS _release.step (
  history_id text PRIMARY KEY,
  schema_name text NOT NULL,
  migration text NOT NULL,
  done integer NOT NULL DEFAULT 0,
  done_hash text NOT NULL DEFAULT '',
  attempted integer,
  note jsonb NOT NULL DEFAULT '{}',
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS _release.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL DEFAULT session_user,
  release text,
  event text NOT NULL,
  migration text,
  data jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS _release.record (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  schema_name text NOT NULL,
  release text,
  kind text NOT NULL,
  data jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS record_latest ON _release.record (schema_name, kind, id);`;

/** Returns SQL for the milliseconds since a time, which is SQL itself. It means the same under every search path. */
export function millisecondsSince(time: string, type: "int4" | "float8" = "int4"): string {
  const age = `pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) ${time}`;
  return `(extract(epoch FROM ${age}) OPERATOR(pg_catalog.*) 1000)::pg_catalog.${type}`;
}

/** An entry of the audit trail. The time, the role and the release are added when it is written. */
export interface AuditEntry {
  readonly event: string;
  readonly migration?: string;
  readonly data?: Record<string, unknown>;
}

/**
 * The program's records in the database itself, so that they are part of every snapshot and restore. If the role may
 * not create or write them, `unavailable` contains the reason; migrations in one transaction don't need them.
 */
export class Records {
  unavailable: string | undefined;

  constructor(
    readonly session: Session,
    readonly schema: string,
    readonly release: string | undefined,
  ) {}

  /**
   * Creates the tables if they are missing. It is called only when something is to be written. If rights are missing,
   * it sets `unavailable` and doesn't throw.
   * @throws ReadOnlyDatabase
   */
  async ensure(): Promise<void> {
    try {
      const [row] = await this.session.rows<{ begun: boolean; complete: boolean }>(
        `SELECT to_regnamespace('_release') IS NOT NULL AS begun, count(*) = 3 AS complete
         FROM pg_tables WHERE schemaname = '_release' AND tablename IN ('step', 'audit', 'record')`,
      );
      // The tables are looked for first, because a role that may not create a schema may still write to an existing
      // one.
      if (!row!.complete)
        await this.session.run(
          `SET client_min_messages = warning; BEGIN;${row!.begun ? "" : SCHEMA}${TABLES}\nCOMMIT; RESET client_min_messages`,
        );
      else {
        const [asked] = await this.session.rows<{ readOnly: string }>(
          // Each right is checked on its own: for several rights in one text, has_table_privilege is true if the role
          // has one of them.
          `SELECT current_setting('transaction_read_only') AS "readOnly",
             1 / (has_schema_privilege('_release', 'USAGE') AND bool_and(has_table_privilege(name, privilege)))::int
           FROM (VALUES ('_release.step', 'SELECT'), ('_release.step', 'INSERT'), ('_release.step', 'UPDATE'), ('_release.step', 'DELETE'),
             ('_release.record', 'SELECT'), ('_release.record', 'INSERT'), ('_release.record', 'DELETE'), ('_release.audit', 'INSERT')) needed (name, privilege)`,
        );
        if (asked!.readOnly === "on") throw new ReadOnlyDatabase("it is set to read-only transactions");
      }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === "25006") throw new ReadOnlyDatabase(message, error);
      if (code !== "42501" && code !== "22012") throw error;
      await this.session.run("ROLLBACK; RESET client_min_messages");
      this.unavailable = code === "22012" ? `permission denied for schema ${RECORDS_SCHEMA}` : message;
    }
  }

  /** Returns whether the tables exist and this role may read them. */
  async readable(): Promise<boolean> {
    const [row] = await this.session
      .rows<{ readable: boolean }>(
        `SELECT to_regnamespace('_release') IS NOT NULL AND has_schema_privilege('_release', 'USAGE')
         AND to_regclass('_release.record') IS NOT NULL AND has_table_privilege('_release.record', 'SELECT')
         AND to_regclass('_release.step') IS NOT NULL AND has_table_privilege('_release.step', 'SELECT') AS readable`,
      )
      .catch(() => [{ readable: false }]);
    return row!.readable;
  }

  /**
   * Returns the statement that writes an entry, for the transaction of the event that it records; empty if nothing can
   * be written.
   * @param began SQL for the time at which the event began; the entry then contains its `duration` in milliseconds
   */
  auditStatements(entry: AuditEntry, began?: string): string[] {
    if (this.unavailable !== undefined) return [];
    const text = (value: string | undefined) => (value === undefined ? "NULL" : escapeLiteral(value));
    return [
      `INSERT INTO _release.audit (release, event, migration, data) VALUES (${text(this.release)}, ${escapeLiteral(entry.event)}, ${text(
        entry.migration,
      )}, ${escapeLiteral(JSON.stringify(entry.data ?? {}))}${
        began === undefined
          ? ""
          : `::pg_catalog.jsonb OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('duration', ${millisecondsSince(began)})`
      })`,
    ];
  }

  /** Writes an entry by itself. An error is ignored, because it changes nothing about what happened. */
  async audit(entry: AuditEntry): Promise<void> {
    const [statement] = this.auditStatements(entry);
    if (statement && this.session.lost === undefined) await this.session.run(statement).catch(() => undefined);
  }
}
