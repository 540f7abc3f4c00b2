import type { Node } from "libpg-query";
import type { MigrationPlan } from "../../../migrations/history/plan";
import { nodeOf } from "../../../migrations/sql/parse";

/** The place of a statement. */
export interface Place {
  readonly migration: string;
  readonly line: number;
}

/** A statement that can't run, or that the release can't go on after. */
export interface Impossible extends Place {
  readonly why: string;
}

/** A quick filter: migrations may have tens of thousands of statements, and few of them are worth parsing again. */
const OF_INTEREST = /^(COPY|CREATE\s+EXTENSION|PREPARE|COMMIT|ROLLBACK)\b/i;

/** Visits the statements whose failure can be known beforehand: COPY, CREATE EXTENSION, prepared transactions. */
export function each(plans: readonly MigrationPlan[], visit: (node: Node, at: Place) => void): void {
  for (const { name: migration, statements } of plans)
    for (const statement of statements)
      if (OF_INTEREST.test(statement.text)) visit(nodeOf(statement), { migration, line: statement.line });
}
