import { keyOf, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import type { Facts, JudgedStatement } from "../facts";
import type { Severity } from "../finding";
import { code, named } from "../names";
import { type Draft, defineRule } from "./rule";
import { rollout } from "./words";

type Id = "rename-object" | "move-object";

/** The objects besides tables, columns and types that pods may name in their queries. */
const kinds: Record<string, readonly [word: string, severity: Severity]> = {
  OBJECT_SCHEMA: ["schema", "error"],
  OBJECT_DATABASE: ["database", "error"],
  OBJECT_ROLE: ["role", "error"],
  OBJECT_FOREIGN_TABLE: ["foreign table", "error"],
  OBJECT_FUNCTION: ["function", "warning"],
  OBJECT_PROCEDURE: ["procedure", "warning"],
  OBJECT_ROUTINE: ["routine", "warning"],
  OBJECT_AGGREGATE: ["aggregate", "warning"],
  OBJECT_DOMAIN: ["domain", "warning"],
  OBJECT_ATTRIBUTE: ["attribute", "warning"],
  OBJECT_COLLATION: ["collation", "warning"],
  OBJECT_TSCONFIGURATION: ["text search configuration", "warning"],
  // Column defaults follow a renamed sequence; only calls of nextval() by name fail.
  OBJECT_SEQUENCE: ["sequence", "info"],
};

/** This rule reports objects other than tables that get another name or another schema. */
export const renameObject = defineRule({
  finds: {
    "rename-object": {
      classes: ["incompatible"],
      bad: "ALTER FUNCTION greet() RENAME TO welcome;",
      good: "CREATE FUNCTION welcome() RETURNS text LANGUAGE sql AS 'SELECT greet()';",
    },
    "move-object": {
      classes: ["incompatible"],
      bad: "ALTER FUNCTION greet() SET SCHEMA billing;",
      good: "CREATE FUNCTION billing.greet() RETURNS text LANGUAGE sql AS 'SELECT public.greet()';",
    },
  },
  statement(statement, facts) {
    return facts.plan.contract ? [] : [...renamed(statement, facts), ...moved(statement, facts)];
  },
});

function moved({ node }: JudgedStatement, facts: Facts): Draft<Id>[] {
  if (!("AlterObjectSchemaStmt" in node)) return [];
  const { objectType = "", object, relation, newschema = "" } = node.AlterObjectSchemaStmt;
  const kind = objectType === "OBJECT_TYPE" ? (["type", "warning"] as const) : kinds[objectType];
  const name = relation ? nameOf(relation) : nameOfParts(object);
  if (!kind || facts.isNewObject(name) || facts.isNewSequence(name)) return [];
  const [word, severity] = kind;
  return [
    missing("move-object", keyOf(name), `Moves ${word} ${named(name)} into schema ${code(newschema)}.`, severity),
  ];
}

function renamed({ node }: JudgedStatement, facts: Facts): Draft<Id>[] {
  if (!("RenameStmt" in node)) return [];
  const { renameType = "", relation, object, subname = "", newname = "" } = node.RenameStmt;
  const kind = kinds[renameType];
  if (!kind) return [];
  const [word, severity] = kind;
  const whole = ["OBJECT_SCHEMA", "OBJECT_DATABASE", "OBJECT_ROLE"].includes(renameType);
  const name = whole ? { name: subname } : relation ? nameOf(relation) : nameOfParts(object);
  if (facts.isNewObject(name) || facts.isNewSequence(name) || facts.isNew(name)) return [];
  if (whole && facts.isMade(word, subname)) return [];
  const what = renameType === "OBJECT_ATTRIBUTE" ? named(name, subname) : named(name);
  return [missing("rename-object", keyOf(name), `Renames ${word} ${what} to ${code(newname)}.`, severity)];
}

function missing(rule: Id, about: string, what: string, severity: Severity): Draft<Id> {
  const who = "Pods of the old version that name it fail; the app can't be rolled back.";
  return { rule, severity, target: about, what, who, howLong: rollout };
}
