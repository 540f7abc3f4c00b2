import type { PlannedStatement } from "../migrations/plan";
import { batchDirective } from "./batch-statement";

/**
 * What is done at once when a migration runs in steps: a statement in a transaction of its own (`single`), a statement that must not be in
 * one (`outside`), what the file puts between its own BEGIN and COMMIT (`block`), or a
 * statement that runs in ranges of rows (`batch`).
 */
export interface Unit {
  readonly kind: "single" | "outside" | "block" | "batch";
  readonly statements: readonly PlannedStatement[];
  /** Index of the first statement. */
  readonly from: number;
}

/** A BEGIN without its COMMIT: Postgres would roll back what follows when the session ends. */
export class UnclosedBlock extends Error {
  constructor(readonly begin: PlannedStatement) {
    super(`the BEGIN in line ${begin.line} has no COMMIT`);
  }
}

/** @throws UnclosedBlock */
export function unitsOf(statements: readonly PlannedStatement[]): Unit[] {
  const units: Unit[] = [];
  for (let from = 0; from < statements.length; ) {
    const first = statements[from]!;
    let to = from + 1;
    let kind: Unit["kind"] = batchDirective(first) !== undefined ? "batch" : runsAlone(first) ? "outside" : "single";
    if (first.control === "begin") {
      kind = "block";
      while (to < statements.length && !endsBlock(statements[to]!)) to++;
      if (to === statements.length) throw new UnclosedBlock(first);
      to++;
    }
    units.push({ kind, statements: statements.slice(from, to), from });
    from = to;
  }
  return units;
}

/** ALTER TYPE … ADD VALUE may stand in a transaction; it only has to be committed before its value is used. */
function runsAlone({ canRunInTransaction, control, kind }: PlannedStatement): boolean {
  if (control !== undefined) return true;
  return !canRunInTransaction && kind !== "ALTER TYPE";
}

function endsBlock({ control, text }: PlannedStatement): boolean {
  if (/\band\s+chain\b/i.test(text)) return false;
  return control === "commit" || control === "rollback" || control === "prepare";
}
