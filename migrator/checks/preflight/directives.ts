import { stronger } from "../../../migrations/sql/locks";
import { BatchProblem, batchDirective, readBatch } from "../../apply/batch-statement";
import { walkedKey } from "../../apply/batches";
import type { PlannedEffects } from "../../apply/planned-effects";
import { findRelation } from "../../db/own-queries";
import type { Run } from "../../run";
import type { PreflightCheck } from "./context";

/** Looks for directives that can't be followed: a release doesn't begin unless it can do what its comments ask for. */
export const directives: PreflightCheck = {
  name: "directives",
  kind: "history",
  async run({ run, planned }) {
    const bad = [
      ...planned.badDirectives.map((each) => ({ ...each, migration: each.migration.name })),
      ...(await withoutKey(run, planned)),
    ];
    if (bad.length === 0) return { findings: [], facts: "all of them" };
    const certain = bad.some((each) => each.certain);
    const what = certain
      ? "Directives in pending migrations can't be followed."
      : "Comments in pending migrations read like directives, and are none.";
    const evidence = bad.map(({ migration, line, problem }) => `  ${migration}, line ${line}: it ${problem}`);
    const next =
      'correct the comments ("-- release: contract", "-- release: hotfix", or "-- release: batch" above its statement)';
    return { findings: [{ what, evidence, next }], facts: `${bad.length} can't be followed`, mild: !certain };
  },
};

/** Finds batches over tables of the database that have no key to walk, unless the release may give them one. */
async function withoutKey({ session, table: { schema } }: Run, { plans, badDirectives, tables }: PlannedEffects) {
  const known = new Set(badDirectives.map(({ migration, line }) => `${migration.name} ${line}`));
  const altered = new Set(
    tables
      .filter(({ effects }) => effects.some(({ lock }) => stronger(lock, "SHARE UPDATE EXCLUSIVE") === lock))
      .map(({ table }) => table),
  );
  const found: { migration: string; line: number; problem: string; certain: boolean }[] = [];
  for (const { name, statements } of plans)
    for (const statement of statements) {
      const line = statement.directives?.find((each) => each.name === "batch")?.line ?? statement.line;
      if (batchDirective(statement) === undefined || known.has(`${name} ${line}`)) continue;
      const batch = readBatch(statement, schema);
      if (altered.has(batch.table) || (await findRelation(session, batch.table)) === undefined) continue;
      try {
        await walkedKey(session, batch);
      } catch (error) {
        if (!(error instanceof BatchProblem)) throw error;
        found.push({
          migration: name,
          line,
          certain: true,
          problem: `has "-- release: batch" above a statement that ${error.message}`,
        });
      }
    }
  return found;
}
