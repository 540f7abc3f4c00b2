import type { Facts, JudgedStatement } from "../facts";
import { code, named, target } from "../names";
import { alterations, commandsOf } from "../prepare/commands";
import { type Draft, defineRule } from "./rule";
import { stops } from "./words";

type Id = "validate-rows" | "partition-rows";

/** This rule reports statements that check the rows that are there: against a constraint, or the bounds of a partition. */
export const validateRows = defineRule<Id>({
  finds: {
    "validate-rows": {
      classes: ["failing"],
      bad: `ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age >= 0) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_age_check;`,
      good: "-- Correct the rows that break it first; then no change is needed.",
    },
    "partition-rows": {
      classes: ["failing"],
      bad: "CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
      good: "-- Move the rows of the new partition out of the default one first.",
    },
  },
  statement(statement, facts) {
    return [...validated(statement, facts), ...partition(statement)];
  },
});

/** Reports VALIDATE CONSTRAINT. It is the safe way to a constraint, so it is only told. */
function validated(statement: JudgedStatement, facts: Facts): Draft<Id>[] {
  return alterations(statement, facts).flatMap(({ cmd: { subtype }, table: name, column: constraint }) => {
    if (subtype !== "AT_ValidateConstraint") return [];
    const found = facts.table(name)?.constraints.find((each) => each.name === constraint);
    if (found?.valid) return [];
    return [
      {
        rule: "validate-rows" as const,
        severity: "info" as const,
        target: target(name, constraint),
        what: `Checks every row of ${named(name)} against ${code(constraint)}, and fails if one breaks it.`,
        who: stops,
        howLong: "Until the rows are corrected",
      },
    ];
  });
}

/** Reports a new partition for which Postgres reads rows: those of the table itself, or those of the default partition. */
function partition({ node, existing }: JudgedStatement): Draft<Id>[] {
  const attached = commandsOf(node).some(({ cmd }) => cmd.subtype === "AT_AttachPartition");
  if (!attached && !("CreateStmt" in node && node.CreateStmt.partbound)) return [];
  const read = existing.filter(({ work }) => work === "scan" || work === "index").map(({ name }) => name);
  return read.map((name) => ({
    rule: "partition-rows" as const,
    severity: "warning" as const,
    target: target(name),
    what: `Checks every row of ${named(name)}, and fails if one breaks the bounds, keys or constraints that it gets as a partition.`,
    who: stops,
    howLong: "Until the rows are corrected or moved",
  }));
}
