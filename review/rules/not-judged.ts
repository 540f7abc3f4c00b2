import { textOf } from "../../migrations/sql/constant";
import { nameOf } from "../../migrations/sql/identifier";
import type { Facts, JudgedStatement } from "../facts";
import { named } from "../names";
import { settingsOf } from "../prepare/session-settings";
import { type Draft, defineRule } from "./rule";
import { reviewer } from "./words";

type Found = Draft<"not-judged">;

/** This rule reports every statement whose effect can't be read from its text. */
export const notJudged = defineRule({
  finds: {
    "not-judged": {
      classes: ["unknown"],
      bad: "SET search_path TO billing;",
      good: "ALTER TABLE billing.invoices ADD COLUMN paid BOOLEAN;",
    },
  },
  statement(statement, facts) {
    const { effect, line } = statement;
    const found = [...rewriteRule(statement, facts), ...session(statement)];
    if (effect.unknown === undefined) return found;
    return [...found, unknown(`line ${line}`, `Its text doesn't tell what it does: ${effect.unknown}.`)];
  },
});

function unknown(about: string, what: string, note?: string): Found {
  return {
    rule: "not-judged",
    severity: "warning",
    target: about,
    what,
    who: reviewer,
    howLong: "Unknown",
    ...(note !== undefined && { safe: { migrations: [], note } }),
  };
}

/** Reports CREATE RULE on an existing table. */
function rewriteRule({ node, line }: JudgedStatement, facts: Facts): Found[] {
  if (!("RuleStmt" in node) || !node.RuleStmt.relation || facts.isNew(nameOf(node.RuleStmt.relation))) return [];
  const does = node.RuleStmt.instead ? "something else than" : "more than";
  return [
    {
      ...unknown(`line ${line}`, `Lets statements on ${named(nameOf(node.RuleStmt.relation))} do ${does} they say.`),
      who: `Pods of the old and of the new version, which don't notice it. ${reviewer}`,
      howLong: "As long as the rule exists",
    },
  ];
}

/** Reports settings that decide in which schema the later statements find their tables, or as which role they run. */
function session({ node, line }: JudgedStatement): Found[] {
  return settingsOf(node).flatMap(({ name, values }) => {
    const about = `${name} in line ${line}`;
    const own = values.length > 0 && values.every((value) => ["public", ""].includes(textOf(value) ?? "?"));
    if (name === "search_path" && !own)
      return [
        unknown(
          about,
          "Changes search_path: names without a schema may mean other tables from here on than the review takes them for.",
          "Write the schema before each name instead.",
        ),
      ];
    if ((name !== "role" && name !== "session_authorization") || values.length === 0) return [];
    return [
      unknown(
        about,
        "Continues as another role, which owns what is created from here on: the app's role may have no rights on it.",
        "Let the migration role own what it creates.",
      ),
    ];
  });
}
