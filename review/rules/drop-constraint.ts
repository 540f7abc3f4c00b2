import { textOf } from "../../migrations/sql/constant";
import type { Facts, JudgedStatement } from "../facts";
import { code, named, target } from "../names";
import { alterations, type Command } from "../prepare/commands";
import { guardKey } from "../prepare/guards";
import { settingsOf } from "../prepare/session-settings";
import { type Draft, defineRule } from "./rule";

const kinds = {
  check: "check",
  unique: "unique constraint",
  primary: "primary key",
  foreign: "foreign key",
  exclude: "exclusion constraint",
  "not null": "NOT NULL constraint",
};

const relying = "All code that relies on it.";

/** This rule reports constraints that are dropped or not enforced, and triggers and rules that are turned off. */
export const dropConstraint = defineRule({
  finds: {
    "drop-constraint": {
      classes: ["destructive"],
      bad: "ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey;",
      good: "-- Keep it, or add it again in the same migration.",
    },
  },
  statement(statement, facts) {
    return [
      ...alterations(statement, facts).flatMap((command) => judge(command, facts)),
      ...replicationRole(statement),
    ];
  },
});

function judge(
  { cmd: { subtype, def }, table: name, column: guard }: Command,
  facts: Facts,
): Draft<"drop-constraint">[] {
  const rule = "drop-constraint";
  if (subtype === "AT_DropConstraint") {
    const table = facts.table(name);
    const constraint = table?.constraints.find((candidate) => candidate.name === guard);
    // Dropping a check for NOT NULL has no effect if the column itself is NOT NULL.
    const [proven] = constraint?.onlyNotNull ? (constraint.notNullOf ?? []) : [];
    if (proven !== undefined && table?.columns.get(proven)?.notNull) return [];
    return [
      {
        rule,
        severity: "info",
        target: target(name, guard),
        what: `Drops ${constraint ? kinds[constraint.kind] : "constraint"} ${code(guard)} of ${named(name)}: rows that break it can come in.`,
        who: relying,
        howLong: "Until it is added again, which needs clean rows",
      },
    ];
  }
  if (/^AT_(Disable|EnableReplica)(Trig|Rule)/.test(subtype ?? "")) {
    const all = guard === "";
    const { guardsMade } = facts.prepared;
    const again = guardsMade.has(guardKey("enabled", name, guard)) || guardsMade.has(guardKey("enabled", name));
    const which = all
      ? `the triggers of ${named(name)}${subtype === "AT_DisableTrigAll" ? ", foreign keys included" : ""}`
      : `${/Rule$/.test(subtype ?? "") ? "rule" : "trigger"} ${code(guard)} of ${named(name)}`;
    return [
      {
        rule,
        severity: again ? "info" : "warning",
        target: all ? target(name) : target(name, guard),
        what: `Turns off ${which}: rows that break what it guards can come in${again ? " until this migration turns it on again" : ""}.`,
        who: relying,
        howLong: again ? "Until the migration is complete" : "Until it is turned on again, which checks no row",
      },
    ];
  }
  if (subtype !== "AT_AlterConstraint" || !def || !("ATAlterConstraint" in def)) return [];
  const { conname = "", alterEnforceability, is_enforced } = def.ATAlterConstraint;
  if (!alterEnforceability || is_enforced) return [];
  return [
    {
      rule,
      severity: "info",
      target: target(name, conname),
      what: `No longer enforces constraint ${code(conname)} of ${named(name)}: rows that break it can come in.`,
      who: relying,
      howLong: "Until it is enforced again, which needs clean rows",
    },
  ];
}

function replicationRole({ node }: JudgedStatement): Draft<"drop-constraint">[] {
  return settingsOf(node).flatMap(({ name, values: [value] }) =>
    name !== "session_replication_role" || value === undefined || textOf(value) === "origin"
      ? []
      : [
          {
            rule: "drop-constraint",
            severity: "warning",
            target: name,
            what: "Turns off triggers and foreign keys for the later statements: rows that break them can come in.",
            who: relying,
            howLong: "Until it is set back; rows that came in stay, and no check finds them",
          },
        ],
  );
}
