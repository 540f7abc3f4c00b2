import type { Node } from "libpg-query";
import { keyOf, type Name, nameOfParts } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { codes, named, target } from "../names";
import { contractMark } from "../safe/words";
import { type Draft, defineRule } from "./rule";
import { contractNote, fromSnapshot, oldPodsFail, permanent, rollbackFails } from "./words";

type Id = `drop-${"table" | "schema" | "extension" | "type" | "view" | "sequence" | "function"}`;

const both = ["destructive", "incompatible"] as const;

/** This rule reports DROP of tables, views, types and other objects. */
export const dropObject = defineRule<Id>({
  finds: {
    "drop-table": { classes: both, bad: "DROP TABLE posts;" },
    "drop-schema": { classes: both, bad: "DROP SCHEMA billing;" },
    "drop-extension": { classes: both, bad: "DROP EXTENSION hstore;" },
    "drop-type": { classes: both, bad: "DROP TYPE mood CASCADE;" },
    "drop-view": { classes: ["incompatible"], bad: "DROP VIEW names;" },
    "drop-sequence": { classes: ["incompatible"], bad: "DROP SEQUENCE numbers;" },
    "drop-function": { classes: ["incompatible"], bad: "DROP FUNCTION greet();" },
  },
  statement({ node, text }, facts) {
    if (!("DropStmt" in node)) return [];
    const { removeType, objects = [] } = node.DropStmt;
    const kind = kinds[removeType ?? ""];
    return kind ? objects.flatMap((object) => judge(nameOfParts(object), kind, node.DropStmt, text, facts)) : [];
  },
});

const kinds: Record<string, readonly [rule: Id, what: string]> = {
  OBJECT_TABLE: ["drop-table", "table"],
  OBJECT_MATVIEW: ["drop-view", "materialized view"],
  OBJECT_VIEW: ["drop-view", "view"],
  OBJECT_FOREIGN_TABLE: ["drop-view", "foreign table"],
  OBJECT_SCHEMA: ["drop-schema", "schema"],
  OBJECT_SEQUENCE: ["drop-sequence", "sequence"],
  OBJECT_FUNCTION: ["drop-function", "function"],
  OBJECT_PROCEDURE: ["drop-function", "procedure"],
  OBJECT_AGGREGATE: ["drop-function", "aggregate"],
  OBJECT_ROUTINE: ["drop-function", "routine"],
  OBJECT_EXTENSION: ["drop-extension", "extension"],
  OBJECT_TYPE: ["drop-type", "type"],
  OBJECT_DOMAIN: ["drop-type", "type"],
};

function judge(
  name: Name,
  [rule, word]: readonly [Id, string],
  { removeType, behavior, missing_ok }: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  text: string,
  facts: Facts,
): Draft<Id>[] {
  const table = facts.table(name);
  if (table ? facts.isNew(name) : facts.isNewObject(name)) return [];
  if ((rule === "drop-view" || rule === "drop-function") && facts.prepared.remade.has(keyOf(name))) return [];
  if (missing_ok && removeType === "OBJECT_TABLE" && !table && isAbsent(name, facts)) return [];
  // Pods don't call the functions of triggers, so no pod fails.
  if (rule === "drop-function" && facts.schema.triggerFunctions.has(keyOf(name))) return [];
  const cascade = behavior === "DROP_CASCADE";
  const columns =
    rule === "drop-type" && cascade
      ? facts.schema.using(keyOf(name)).map(({ table: of, column }) => target(of.name, column.name))
      : [];
  // A type that no column has can be dropped without loss. Prisma's exchange of enums leaves such a type.
  if (rule === "drop-type" && columns.length === 0) return [];
  const destroys = rule === "drop-type" || ["drop-table", "drop-schema", "drop-extension"].includes(rule);
  const { contract } = facts.plan;
  if (!destroys && contract) return [];
  const more =
    columns.length > 0
      ? ` and, by CASCADE, the columns ${codes(columns)}`
      : cascade
        ? " and, by CASCADE, all that depends on it"
        : "";
  return [
    {
      rule,
      classes: [...(destroys ? (["destructive"] as const) : []), ...(contract ? [] : (["incompatible"] as const))],
      // A dropped sequence is only `info`, because the rules judge a default that uses it separately.
      severity: destroys ? "error" : rule === "drop-sequence" ? "info" : "warning",
      target: keyOf(name),
      what: `Drops ${word} ${named(name)}${destroys ? ` and all its data${more}` : ""}.`,
      who: contract ? rollbackFails : oldPodsFail,
      howLong: destroys ? permanent : "Until it is created again",
      ...(destroys && { irreversible: fromSnapshot }),
      ...(!contract && { safe: { migrations: [`${contractMark}${text};`], note: contractNote } }),
    },
  ];
}

/**
 * Returns whether the table can't exist: the history never made it, and the history has made all other known tables. A
 * DROP … IF EXISTS then does nothing.
 */
function isAbsent(name: Name, { schema }: Facts): boolean {
  return (
    name.schema === undefined &&
    schema.tables.size > 0 &&
    [...schema.tables.values()].every(({ known, kind }) => known || kind !== "table")
  );
}
