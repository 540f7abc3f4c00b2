import type { MigrationPlan } from "../../migrations/history/plan";
import type { Settings } from "../settings";
import type { Session } from "./connection";
import { OWN_PATH } from "./search-path";

/** What the session works under, before the first migration and after one that changed its settings: they share one, as under Prisma. */
export function sessionSettings(settings: Settings): string {
  return [
    `SET lock_timeout = ${settings.lockTimeout}`,
    `SET statement_timeout = ${settings.statementTimeout}`,
    "SET idle_in_transaction_session_timeout = '5min'",
    OWN_PATH,
  ].join("; ");
}

/** Lets the server notice within seconds that this process is gone, also while it builds an index for it. */
export async function noticeLostClient(session: Session): Promise<void> {
  // Unknown before Postgres 14, and refused on platforms that can't tell.
  if (session.serverVersion >= 140_000)
    await session.rows("SET client_connection_check_interval = '2s'").catch(() => undefined);
}

/** True for a migration that may leave its session with other settings. */
export function changesSession({ statements, error }: MigrationPlan): boolean {
  return error !== undefined || statements.some(({ kind, text }) => SETTERS.test(kind) || /\bset_config\b/i.test(text));
}

const SETTERS = /^(SET|RESET|DISCARD|DO|CALL)\b/;
