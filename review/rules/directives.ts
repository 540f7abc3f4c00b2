import { batchDoubt } from "../../migrations/batches/batch";
import type { Context, JudgedStatement } from "./context";

const certain = { rule: "bad-directive", classes: ["failing"], severity: "error", howLong: "always" } as const;
const stops = "The release: its preflight stops at it, before anything is changed.";

/** Comments of the migration that read like directives and can't be followed. */
export function judgeDirectives(context: Context): void {
  for (const { problem, line, certain: sure } of context.plan.badDirectives)
    context.report({
      ...certain,
      ...(!sure && { classes: ["unknown"], severity: "warning", howLong: "until it is put right" }),
      target: `line ${line}`,
      line,
      what: `It ${problem}.`,
      who: sure ? stops : "Whoever wrote it for a directive: it is taken for a comment.",
    });
}

/** A batch whose ranges together would not do what its statement does. */
export function judgeBatch(statement: JudgedStatement, context: Context): void {
  const batch = statement.directives?.find(({ name }) => name === "batch");
  const doubt = batch && batchDoubt(statement.node, batch.text, context.schema);
  if (!doubt?.certain) return;
  context.report(
    {
      ...certain,
      target: `line ${batch?.line}`,
      what: `"-- release: batch" stands above a statement that ${doubt.problem}.`,
      who: stops,
      safe: {
        migrations: [],
        note: "Take the directive away, or write the statement so that each row can be changed by itself.",
      },
    },
    statement,
  );
}
