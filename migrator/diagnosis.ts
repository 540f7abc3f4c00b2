import type { Migration } from "../migrations/history";
import { maskSql } from "../migrations/mask-sql";
import { loadParser } from "../migrations/plan";
import { type Catalog, readCatalog } from "./catalog";
import { type Expectation, expectationsOf } from "./expectations";
import { nodeOf } from "./left-behind";
import { planOf } from "./plans";
import type { Run } from "./run";

export type StatementState = "applied" | "not applied" | "unknown";

/** What the catalog says about one statement. */
export interface StatementDiagnosis {
  readonly line: number;
  readonly text: string;
  readonly state: StatementState;
  readonly evidence: string;
}

export interface Diagnosis {
  /** Of the statements that can be told. `unknown` = none can. */
  readonly applied: "all" | "part" | "none" | "unknown";
  readonly statements: StatementDiagnosis[];
}

/** What of a migration is really applied, statement by statement, as the catalog has it. Rows can't be told. */
export async function diagnose(run: Run, migration: Migration): Promise<Diagnosis> {
  await loadParser();
  const plan = planOf(migration);
  const catalog = await readCatalog(run.session);
  const expected = plan.statements.map((statement) => expectationsOf(nodeOf(statement), run.table.schema));
  const statements = plan.statements.map((statement, index): StatementDiagnosis => {
    const text = maskSql(statement.text).slice(0, 70);
    // What a later statement of the same migration changes again says nothing about this one.
    const later = new Set(expected.slice(index + 1).flatMap((list) => list.map(({ key }) => key)));
    const checkable = expected[index]!.filter(({ key }) => !later.has(key));
    if (checkable.length === 0)
      return { line: statement.line, text, state: "unknown", evidence: "the catalog doesn't tell" };
    const broken = checkable.filter((each) => !isMet(each, catalog));
    const state = broken.length === 0 ? "applied" : "not applied";
    return { line: statement.line, text, state, evidence: describeExpectation(broken[0] ?? checkable[0]!, catalog) };
  });
  return { applied: summary(statements), statements };
}

export function isMet({ key, present, definition }: Expectation, catalog: Catalog): boolean {
  const found = catalog[key];
  if (!present) return found === undefined;
  return found !== undefined && (definition === undefined || definition.matches.test(found));
}

/** What the catalog has where the expectation looks. */
export function describeExpectation({ key, definition }: Expectation, catalog: Catalog): string {
  const found = catalog[key];
  if (found === undefined) return `there is no ${key}`;
  return definition
    ? `${key} is ${found.replace(/\s+/g, " ").slice(0, 120)} (looked for: ${definition.text})`
    : `there is ${key}`;
}

function summary(statements: readonly StatementDiagnosis[]): Diagnosis["applied"] {
  const states = new Set(statements.map(({ state }) => state).filter((state) => state !== "unknown"));
  if (states.size === 0) return "unknown";
  if (states.size === 2) return "part";
  return states.has("applied") ? "all" : "none";
}

export function describeDiagnosis(name: string, { applied, statements }: Diagnosis): string[] {
  const verdicts = {
    all: "everything that the catalog can tell is applied",
    part: "it is applied in part",
    none: "nothing that the catalog can tell is applied",
    unknown: "the catalog can't tell: it changes rows only",
  };
  const lines = statements.flatMap(({ line, text, state, evidence }) => [
    `  line ${line}: ${state.padEnd(11)} ${text}`,
    `      ${evidence}`,
  ]);
  return [`${name}: ${verdicts[applied]}.`, ...lines];
}
