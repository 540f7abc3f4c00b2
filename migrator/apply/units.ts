import type { PlannedStatement } from "../../migrations/history/plan";
import { batchDirective } from "./batch-statement";

/**
 * What is done at once when a migration runs in steps: a statement in a transaction of its own (`single`), a statement that must not be in
 * one (`outside`), what the file puts between its own BEGIN and COMMIT (`block`), a statement that runs in ranges of rows (`batch`), or
 * the statements up to the next new enum value (`joined`).
 */
export interface Unit {
  readonly kind: "single" | "outside" | "block" | "batch" | "joined";
  readonly statements: readonly PlannedStatement[];
  /** Index of the first statement. */
  readonly from: number;
}

/**
 * A BEGIN without its COMMIT: Postgres would roll back what follows when the session ends. Or a COMMIT or ROLLBACK without a BEGIN: what
 * it ends depends on how a file is sent, all at once (then it ends a transaction) or statement by statement (then it ends nothing).
 */
export class UnpairedControl extends Error {
  constructor(
    readonly statement: PlannedStatement,
    /** What to do to the file. */
    readonly remedy: string,
  ) {
    const word = statement.control === "begin" ? "BEGIN" : statement.kind;
    super(`the ${word} in line ${statement.line} has no ${statement.control === "begin" ? "COMMIT" : "BEGIN"}`);
  }
}

/**
 * @param from index of the first statement that is not done yet
 * @throws UnpairedControl
 */
export function unitsOf(statements: readonly PlannedStatement[], from = 0): Unit[] {
  const units: Unit[] = [];
  const joined = canBeJoined(statements);
  while (from < statements.length) {
    const first = statements[from]!;
    let to = from + 1;
    if (endsBlock(first)) throw new UnpairedControl(first, "write the BEGIN that it ends, or take it out");
    let kind: Unit["kind"] = batchDirective(first) !== undefined ? "batch" : runsAlone(first) ? "outside" : "single";
    if (first.control === "begin") {
      kind = "block";
      while (to < statements.length && !endsBlock(statements[to]!)) to++;
      if (to === statements.length) throw new UnpairedControl(first, "add the COMMIT");
      to++;
    } else if (joined && first.kind !== "CALL") {
      kind = "joined";
      while (to < statements.length && !beginsTransaction(statements[to - 1]!, statements[to]!)) to++;
    }
    units.push({ kind, statements: statements.slice(from, to), from });
    from = to;
  }
  return units;
}

/** Only a new enum value keeps it from being one transaction: then it is as few as can be. A CALL may commit by itself. */
function canBeJoined(statements: readonly PlannedStatement[]): boolean {
  const plain = (each: PlannedStatement) =>
    each.canRunInTransaction && each.control === undefined && batchDirective(each) === undefined;
  return statements.every(plain) && statements.some(addsEnumValue);
}

/** The value of ALTER TYPE … ADD VALUE can't be used before it is committed (SQLSTATE 55P04). */
function addsEnumValue({ kind, text }: PlannedStatement): boolean {
  return kind === "ALTER TYPE" && /\bADD\s+VALUE\b/i.test(text);
}

function beginsTransaction(before: PlannedStatement, statement: PlannedStatement): boolean {
  return statement.kind === "CALL" || (addsEnumValue(before) && !addsEnumValue(statement));
}

function runsAlone({ canRunInTransaction, control }: PlannedStatement): boolean {
  return control !== undefined || !canRunInTransaction;
}

function endsBlock({ control, text }: PlannedStatement): boolean {
  if (/\band\s+chain\b/i.test(text)) return false;
  return control === "commit" || control === "rollback" || control === "prepare";
}
