import type { Facts, JudgedStatement } from "../facts";
import type { SafeWay } from "../finding";
import { commitBefore, uncommittedValues, usesValue } from "../prepare/enum-uses";
import { boundTo } from "../safe/split";
import { type Draft, defineRule } from "./rule";
import { repairer } from "./words";

/** This rule reports a migration that can't run in one transaction, so that a failure leaves a part of it applied. */
export const halfApplied = defineRule({
  finds: {
    "half-applied": {
      classes: ["partial"],
      bad: "ALTER TABLE users ADD COLUMN nick TEXT;\nCREATE INDEX CONCURRENTLY users_nick_idx ON users (nick);",
    },
  },
  statement(statement, facts) {
    if (facts.plan.mode !== "transaction") return [];
    return uncommittedValues(statement, facts).map((added) => ({
      ...base(facts),
      target: `${added.value.type}.${added.value.value}`,
      what: `${usesValue(added)}, so it takes two transactions: if the second fails, the first stays.`,
      howLong: "Until the release is run again, which continues after what is committed",
      safe: commitBefore(statement, facts),
      once: true,
    }));
  },
  closing(statements, facts) {
    const changing = [...new Map(statements.filter(changes).map((each) => [each.index, each])).values()];
    const single = statements.find(({ canRunInTransaction }) => !canRunInTransaction);
    if (changing.length <= 1 || facts.plan.mode === "own") return [];
    if (facts.plan.mode === "statements" && single) return [oneByOne(statements, changing, single, facts)];
    if (facts.plan.mode === "statements" || facts.runner !== "command") return [];
    return [
      {
        ...base(facts),
        severity: "warning",
        target: "",
        what: `The Prisma CLI from 7.4 on sends its ${changing.length} statements one by one: if one fails, those before it stay, and the history is blocked.`,
        howLong: "Until somebody repairs it (`prisma migrate resolve`)",
        safe: {
          migrations: [],
          note: "Let the project's own migrator run it (`migrations.runner`): it uses one transaction for each migration.",
        },
      },
    ];
  },
});

function base({ runner }: Facts) {
  const severity = runner === "command" ? ("error" as const) : ("warning" as const);
  return { rule: "half-applied" as const, severity, who: repairer };
}

/** Returns whether the statement changes the database. SET, SHOW and ANALYZE leave nothing behind. */
function changes({ kind, control }: JudgedStatement): boolean {
  return control === undefined && kind !== "SET" && kind !== "SHOW" && kind !== "ANALYZE";
}

function oneByOne(
  statements: readonly JudgedStatement[],
  changing: readonly JudgedStatement[],
  single: JudgedStatement,
  facts: Facts,
): Draft<"half-applied"> {
  const prisma = facts.runner === "command" ? " The Prisma CLI fails at it, or leaves its history blocked." : "";
  return {
    ...base(facts),
    target: "",
    what: `${single.outsideTransaction} can't run in a transaction, so its ${changing.length} statements run one by one: if one fails, those before it stay.${prisma}`,
    howLong: "Until the release is run again, which continues at the statement that failed",
    safe: pieces(statements, changing, facts),
    // The proposal splits the whole file between its statements, so it is valid for a part of a statement too.
    at: { ...single, inside: false },
  };
}

/**
 * Proposes one migration for each statement that can't run in a transaction, and one for the statements between them.
 */
function pieces(statements: readonly JudgedStatement[], changing: readonly JudgedStatement[], facts: Facts): SafeWay {
  const found: string[] = [];
  let together: string[] = [];
  const flush = () => {
    if (together.length > 0) found.push(together.join("\n"));
    together = [];
  };
  // The statements are taken as they stand in the file, so the parts of a DO block stay together.
  const whole = new Set(changing.map(({ index }) => index));
  for (const { text, canRunInTransaction } of facts.plan.statements.filter(({ index }) => whole.has(index))) {
    if (!canRunInTransaction) flush();
    together.push(`${text};`);
    if (!canRunInTransaction) flush();
  }
  flush();
  return found.join("").length <= 4000 && boundTo(statements, statements) === undefined
    ? { migrations: found }
    : { migrations: [], note: "Put it into a migration of its own." };
}
