import { columnType } from "../../migrations/sql/column-type";
import { identifier, literal, nameText } from "../../migrations/sql/identifier";
import { code, codes, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { contractMark } from "../safe/words";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports an enum that is replaced by one with fewer values, which is how Prisma removes a value. */
export const removeEnumValue = defineRule({
  finds: {
    "remove-enum-value": {
      classes: ["failing", "incompatible"],
      bad: `CREATE TYPE mood_new AS ENUM ('ok');
ALTER TABLE users ALTER COLUMN mood TYPE mood_new USING (mood::text::mood_new);
ALTER TYPE mood RENAME TO mood_old;
ALTER TYPE mood_new RENAME TO mood;
DROP TYPE mood_old;`,
    },
  },
  statement(statement, facts) {
    return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table: name, column }) => {
      if (subtype !== "AT_AlterColumnType" || !def || !("ColumnDef" in def)) return [];
      const exchange = facts.prepared.exchanges.get(columnType(def.ColumnDef.typeName)?.name ?? "");
      if (!exchange || exchange.removed.length === 0) return [];
      const rule = identifier(`${name.name}_${column}_values`);
      const check = `CHECK (${identifier(column)} NOT IN (${exchange.removed.map((value) => literal(value)).join(", ")}))`;
      const alter = `${contractMark}ALTER TABLE ${nameText(name)}`;
      return [
        {
          rule: "remove-enum-value" as const,
          classes: facts.plan.contract ? (["failing"] as const) : undefined,
          severity: "error" as const,
          target: target(name, column),
          what: `Removes ${codes(exchange.removed)} from enum ${code(exchange.type)}, and fails if a row of ${named(name)} has such a value.`,
          who: "Pods of the old version fail when they write one.",
          howLong: rollout,
          safe: {
            migrations: [
              `${alter} ADD CONSTRAINT ${rule} ${check} NOT VALID;`,
              `${alter} VALIDATE CONSTRAINT ${rule};`,
            ],
            note: "A value that stays in the type does no harm; the check keeps it out of the table without a rewrite.",
          },
        },
      ];
    });
  },
});
