import { createHash } from "node:crypto";
import type { MigrationPlan } from "../../migrations/history/plan";

/** Of the first statements: line and the beginning of the sha-256 of the text, by which a server's log can be matched. */
export function statementHashes({ statements }: MigrationPlan): string[] {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  return statements.slice(0, 50).map(({ line, text }) => `${line}:${hash(text)}`);
}
