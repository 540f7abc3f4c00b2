import type { MigrationPlan } from "../../migrations/history/plan";
import type { Settings } from "../settings";
import type { Session } from "./connection";
import { OWN_PATH } from "./search-path";

/**
 * Returns the statements that set the session's settings before the first migration, and after a migration that changed
 * them. All migrations share one session, as under Prisma.
 */
export function sessionSettings(settings: Settings): string {
  return [
    `SET lock_timeout = ${settings.lockTimeout}`,
    `SET statement_timeout = ${settings.statementTimeout}`,
    "SET idle_in_transaction_session_timeout = '5min'",
    OWN_PATH,
  ].join("; ");
}

/** Lets the server notice within seconds that this process is gone, even while it builds an index for this session. */
export async function noticeLostClient(session: Session): Promise<void> {
  // The setting doesn't exist before Postgres 14, and is refused on platforms that can't detect a closed connection.
  if (session.serverVersion >= 140_000)
    await session.rows("SET client_connection_check_interval = '2s'").catch(() => undefined);
}

/** Returns whether a migration may leave its session with other settings. */
export function changesSession({ statements, error }: MigrationPlan): boolean {
  return error !== undefined || statements.some(({ kind, text }) => SETTERS.test(kind) || /\bset_config\b/i.test(text));
}

const SETTERS = /^(SET|RESET|DISCARD|DO|CALL)\b/;
