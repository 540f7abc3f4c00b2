import type { PlannedStatement } from "../../migrations/history/plan";
import { batchDirective } from "./batch-statement";

/**
 * The smallest part of a migration that runs in steps: a statement in a transaction of its own (`single`), a statement
 * that must not be in one (`outside`), the statements from the file's own BEGIN to its COMMIT (`block`), a statement
 * that runs in ranges of rows (`batch`), or the statements up to the next new enum value (`joined`).
 */
export interface Unit {
  readonly kind: "single" | "outside" | "block" | "batch" | "joined";
  readonly statements: readonly PlannedStatement[];
  /** The index of the first statement. */
  readonly from: number;
}

/**
 * The error for a BEGIN without its COMMIT: Postgres would roll back what follows when the session ends. It is also the
 * error for a COMMIT or ROLLBACK without a BEGIN, whose effect depends on how the file is sent: all at once, it ends a
 * transaction; statement by statement, it ends nothing.
 */
export class UnpairedControl extends Error {
  constructor(
    readonly statement: PlannedStatement,
    /** The change to the file that solves the problem. */
    readonly remedy: string,
  ) {
    const word = statement.control === "begin" ? "BEGIN" : statement.kind;
    super(`the ${word} in line ${statement.line} has no ${statement.control === "begin" ? "COMMIT" : "BEGIN"}`);
  }
}

/**
 * Divides the statements that are not done yet into units.
 * @param from the index of the first statement that is not done yet; default: 0
 * @throws UnpairedControl if a BEGIN has no COMMIT, or a COMMIT or ROLLBACK has no BEGIN
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

/**
 * Returns true if only a new enum value keeps the statements from being one transaction. Then they become as few
 * transactions as possible. A CALL stays a unit of its own, because it may commit.
 */
function canBeJoined(statements: readonly PlannedStatement[]): boolean {
  const plain = (each: PlannedStatement) =>
    each.canRunInTransaction && each.control === undefined && batchDirective(each) === undefined;
  return statements.every(plain) && statements.some(addsEnumValue);
}

/** Returns true for ALTER TYPE … ADD VALUE, whose value can't be used before it is committed (SQLSTATE 55P04). */
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
