import { createHash } from "node:crypto";
import type { MigrationPlan } from "../../migrations/history/plan";

/**
 * Returns `line:hash` for the first 50 statements, by which they can be found in a server's log. The hash is the first
 * 16 hex digits of the SHA-256 of the statement's text.
 */
export function statementHashes({ statements }: MigrationPlan): string[] {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  return statements.slice(0, 50).map(({ line, text }) => `${line}:${hash(text)}`);
}
