import { batchDoubt } from "../../migrations/batches/batch";
import { defineRule } from "./rule";
import { always, untilRepaired } from "./words";

const stopped = "The release, which stops in the preflight before anything is changed.";

/**
 * This rule reports comments that look like directives but can't be followed, and batches that would not have the
 * effect of their statement.
 */
export const badDirective = defineRule({
  finds: {
    "bad-directive": {
      classes: ["failing", "unknown"],
      bad: "-- release: contrct\nALTER TABLE users DROP COLUMN age;",
      good: "-- release: contract\nALTER TABLE users DROP COLUMN age;",
    },
  },
  opening(_, { plan }) {
    return plan.badDirectives.map(({ problem, line, certain }) => ({
      rule: "bad-directive" as const,
      classes: certain ? (["failing"] as const) : (["unknown"] as const),
      severity: certain ? ("error" as const) : ("warning" as const),
      target: `line ${line}`,
      line,
      what: `It ${problem}.`,
      who: certain ? stopped : "The author, if it was meant as a directive: it is read as a comment.",
      howLong: certain ? always : untilRepaired,
    }));
  },
  statement({ node, directives }, facts) {
    const batch = directives?.find(({ name }) => name === "batch");
    const doubt = batch && batchDoubt(node, batch.text, facts.schema);
    if (!doubt?.certain) return [];
    const note = "Remove the directive, or write the statement so that each row can be changed by itself.";
    return [
      {
        rule: "bad-directive",
        classes: ["failing"],
        severity: "error",
        target: `line ${batch?.line}`,
        what: `\`-- release: batch\` stands above a statement that ${doubt.problem}.`,
        who: stopped,
        howLong: always,
        safe: { migrations: [], note },
      },
    ];
  },
});
