import { defineRule } from "./rule";
import { repairer, untilRepaired } from "./words";

/** This rule reports BEGIN and COMMIT in a migration. */
export const ownTransaction = defineRule({
  finds: {
    "own-transaction": { classes: ["partial"], bad: "BEGIN;\nALTER TABLE users ADD COLUMN nick TEXT;\nCOMMIT;" },
  },
  closing(statements, facts) {
    if (facts.plan.mode !== "own") return [];
    const inside =
      statements[0]?.control === "begin" &&
      statements.at(-1)?.control === "commit" &&
      statements.filter(({ control }) => control === "begin").length === 1;
    const base = { rule: "own-transaction" as const, target: "", howLong: untilRepaired };
    if (!inside)
      return [
        {
          ...base,
          severity: "warning",
          what: "It has its own BEGIN or COMMIT, and statements outside of them: after a failure, what was committed stays.",
          who: repairer,
        },
      ];
    const sql = statements
      .filter(({ control }) => control === undefined || control === "savepoint")
      .map(({ text }) => `${text};`)
      .join("\n");
    return [
      {
        ...base,
        severity: "info",
        what: "It has its own BEGIN and COMMIT. They are not needed: a migration runs in one transaction anyway.",
        who: "Whoever runs it with the Prisma CLI, which hides the real error.",
        ...(sql.length <= 2000 && { safe: { migrations: [sql] } }),
      },
    ];
  },
});
