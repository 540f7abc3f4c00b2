import { constraintOf } from "../../migrations/schema/definition";
import { keyOf, nameOfParts } from "../../migrations/sql/identifier";
import type { Facts, JudgedStatement } from "../facts";
import { code, codes, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { foreignKeyText } from "../prepare/prepare";
import { contractMark } from "../safe/words";
import { type Draft, defineRule } from "./rule";
import { rollout } from "./words";

const classes = ["failing", "incompatible"] as const;
const kinds = {
  check: ["new-check", "check"],
  foreign: ["new-foreign-key", "foreign key"],
  exclude: ["new-exclusion", "exclusion constraint"],
} as const;
type Id = (typeof kinds)[keyof typeof kinds][0];

/** This rule reports a new constraint, because it refuses rows that the old version may still write. */
export const newConstraint = defineRule<Id>({
  finds: {
    "new-check": {
      classes,
      bad: "ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age >= 0) NOT VALID;",
      good: `${contractMark}ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age >= 0) NOT VALID;`,
    },
    "new-foreign-key": {
      classes,
      bad: "ALTER TABLE posts ADD CONSTRAINT posts_editor_fkey FOREIGN KEY (editor_id) REFERENCES users (id) NOT VALID;",
      good: `${contractMark}ALTER TABLE posts ADD CONSTRAINT posts_editor_fkey FOREIGN KEY (editor_id) REFERENCES users (id) NOT VALID;`,
    },
    "new-exclusion": {
      classes,
      bad: "ALTER TABLE users ADD CONSTRAINT users_name_excl EXCLUDE USING gist (name WITH =);",
      good: "-- Use a maintenance window, after the version that writes no such row.",
    },
  },
  statement(statement, facts) {
    return facts.plan.contract ? [] : [...constraints(statement, facts), ...domain(statement, facts)];
  },
});

function constraints(statement: JudgedStatement, facts: Facts): Draft<Id>[] {
  return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table: name }) => {
    if (subtype !== "AT_AddConstraint" || !def || !("Constraint" in def)) return [];
    const constraint = constraintOf(def.Constraint, name.name, facts.schema);
    if (constraint?.kind !== "check" && constraint?.kind !== "foreign" && constraint?.kind !== "exclude") return [];
    const { kind, columns, name: label } = constraint;
    // NULLs in a new column don't violate its constraint, and the old version doesn't write the column.
    if (columns.length > 0 && columns.every((column) => facts.isNewColumn(name, column))) return [];
    // Prisma changes ON DELETE by dropping the key and adding it again, so all rows satisfy it already.
    if (kind === "foreign" && facts.prepared.droppedKeys.has(foreignKeyText(name, constraint))) return [];
    const [rule, word] = kinds[kind];
    const unchecked = def.Constraint.skip_validation === true;
    const what = `Adds ${word} ${code(label)} to ${named(name)}`;
    return [draft(rule, target(name, label), what, "such a row", unchecked)];
  });
}

/** Reports a new constraint of a domain, which applies to every column of that type. */
function domain({ node }: JudgedStatement, facts: Facts): Draft<Id>[] {
  if (!("AlterDomainStmt" in node)) return [];
  const { subtype, typeName, def } = node.AlterDomainStmt;
  // The subtype C is ADD CONSTRAINT, and O is SET NOT NULL.
  if (subtype !== "C" && subtype !== "O") return [];
  const name = nameOfParts(typeName);
  const users = facts.schema.using(keyOf(name)).filter(({ table }) => !facts.isNew(table.name));
  if (users.length === 0 && facts.isNewObject(name)) return [];
  const unchecked = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
  const columns = users.map(({ table, column }) => target(table.name, column.name));
  const what = `Restricts domain ${named(name)}${columns.length > 0 ? ` (used by ${codes(columns)})` : ""}`;
  return [draft("new-check", keyOf(name), what, "such a value", unchecked)];
}

/** @param unchecked Whether the constraint is NOT VALID, so that existing rows are not checked. */
function draft(rule: Id, about: string, what: string, row: string, unchecked: boolean): Draft<Id> {
  return {
    rule,
    classes: unchecked ? ["incompatible"] : undefined,
    severity: unchecked ? "info" : "warning",
    target: about,
    what: `${what}${unchecked ? "" : ", and fails if a row breaks it"}.`,
    who: `Pods of the old version fail when they write ${row}.`,
    howLong: rollout,
  };
}
