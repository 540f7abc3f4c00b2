import type { Node } from "libpg-query";
import { viewColumns } from "../../migrations/schema/view-columns";
import { keyOf, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { signatureOf } from "../../migrations/statements/routines";
import type { Facts } from "../facts";
import { code, named } from "../names";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/**
 * This rule reports a CREATE OR REPLACE that Postgres refuses. It can only add columns at the end of a view and change
 * the body of a function.
 */
export const cannotReplace = defineRule({
  finds: {
    "cannot-replace": {
      classes: ["failing"],
      bad: "CREATE OR REPLACE VIEW names AS SELECT email FROM users;",
      good: "DROP VIEW names;\nCREATE VIEW names AS SELECT email FROM users;",
    },
  },
  statement({ node }, facts) {
    const found = replacement(node, facts);
    if (!found) return [];
    return [
      {
        rule: "cannot-replace",
        severity: "error",
        ...found,
        who: stops,
        howLong: always,
        safe: { migrations: [], note: "Drop it and create it again, in the same migration." },
      },
    ];
  },
});

function replacement(node: Node, { schema }: Facts): { target: string; what: string } | undefined {
  if ("ViewStmt" in node && node.ViewStmt.replace && node.ViewStmt.view) {
    const name = nameOf(node.ViewStmt.view);
    const [before, after] = [schema.table(name)?.shows, viewColumns(node.ViewStmt, schema)];
    const lost = after && before?.find((column, index) => after[index] !== column);
    if (lost === undefined) return undefined;
    const what = `Replaces view ${named(name)} by one whose columns don't begin with the same ones (${code(lost)}): Postgres refuses that.`;
    return { target: keyOf(name), what };
  }
  if (!("CreateFunctionStmt" in node) || !node.CreateFunctionStmt.replace) return undefined;
  const name = nameOfParts(node.CreateFunctionStmt.funcname);
  const before = schema.routines.get(keyOf(name));
  const after = signatureOf(node.CreateFunctionStmt);
  // A function with other parameters is another function, so nothing is replaced.
  if (before?.overloads !== 1 || before.parameters !== after.parameters || before.returns === after.returns)
    return undefined;
  const what = `Replaces function ${named(name)} by one that returns another type: Postgres refuses that.`;
  return { target: keyOf(name), what };
}
