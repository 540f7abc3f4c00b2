import { defineColumn } from "../../migrations/schema/definition";
import { code, named, target } from "../names";
import { alterations, writtenParts } from "../prepare/commands";
import { requireLater } from "../safe/column";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports ADD COLUMN … NOT NULL without a default. */
export const requiredColumn = defineRule({
  finds: {
    "required-column": {
      classes: ["failing", "incompatible"],
      bad: "ALTER TABLE users ADD COLUMN nick TEXT NOT NULL;",
    },
  },
  statement(statement, facts) {
    return alterations(statement, facts).flatMap((each) => {
      const { cmd, table: name } = each;
      if (cmd.subtype !== "AT_AddColumn" || !cmd.def || !("ColumnDef" in cmd.def)) return [];
      const defined = defineColumn(cmd.def.ColumnDef, name.name, facts.schema);
      const { column } = defined;
      const type = column.type?.name ?? "";
      const byDomain = facts.schema.requiredDomains.has(type);
      if (column.filled || !(byDomain || column.notNull)) return [];
      const empty = facts.size(name)?.rows === 0;
      const kind = byDomain
        ? `column ${named(name, column.name)} of domain ${code(type)}, which forbids NULL,`
        : `required column ${named(name, column.name)}`;
      return [
        {
          rule: "required-column" as const,
          severity: empty ? ("warning" as const) : ("error" as const),
          target: target(name, column.name),
          what: `Adds ${kind} without a default${empty ? "" : ", and fails if the table has a row"}.`,
          who: "The release, which stops here if there are rows; if there are none, INSERTs of the old version's pods, which fail.",
          howLong: rollout,
          safe: byDomain
            ? {
                migrations: [],
                note: "Give it a DEFAULT, or use the domain's own type with a CHECK that is added NOT VALID and validated later.",
              }
            : requireLater(writtenParts(statement.text, each).command, defined, name, facts.schema),
        },
      ];
    });
  },
});
