import type { Node } from "libpg-query";
import { enterDependent } from "../schema/dependents";
import { relationName, there } from "../schema/expectation";
import type { Trigger } from "../schema/objects";
import { useOf } from "../schema/uses";
import { identifier, keyOf, nameOf, nameOfParts, nameText, partsOf } from "../sql/identifier";
import { walk } from "../sql/references";
import type { Drops, Family } from "./family";
import { onTable } from "./policies";
import { holds } from "./replay-rules";
import { notInHistory } from "./undo";

/** Statements about triggers on tables, and event triggers of the whole database. */
export const triggers: Family<"CreateTrigStmt" | "CreateEventTrigStmt" | "AlterEventTrigStmt"> = {
  CreateTrigStmt: {
    opinion: "judged",
    kind: () => "CREATE TRIGGER",
    lock({ relation, constrrel }, _schema, effects) {
      if (relation) effects.touch(nameOf(relation), "SHARE ROW EXCLUSIVE");
      if (constrrel) effects.touch(nameOf(constrrel), "SHARE ROW EXCLUSIVE");
    },
    apply(statement, schema) {
      const { relation, trigname = "", funcname, row, events = 0, columns, whenClause } = statement;
      if (!relation) return;
      const table = keyOf(nameOf(relation));
      schema.definitions?.set({ kind: "trigger", key: table, part: trigname }, { CreateTrigStmt: statement });
      const routine = keyOf(nameOfParts(funcname));
      schema.triggers.set(`${table} ${trigname}`, {
        name: trigname,
        table,
        routine,
        row: row === true,
        events: eventBits.filter(([bit]) => (events & bit) !== 0).map(([, event]) => event),
      });
      const used = [...partsOf(columns), ...rowColumns(whenClause)].map((column) => useOf("column", table, column));
      enterDependent(schema, "trigger", table, trigname, new Set([useOf("function", routine), ...used]));
    },
    expect: ({ relation, trigname }, schema) =>
      relation ? [there(`trigger ${relationName(relation, schema)}.${trigname}`)] : [],
    replay: holds,
    undo({ relation, trigname = "", replace }, { schema, write }) {
      if (!relation) return [];
      const of = { kind: "trigger", key: keyOf(nameOf(relation)), part: trigname } as const;
      const known = replace ? schema.definitions?.get(of) : undefined;
      const sql = `DROP TRIGGER ${identifier(trigname)} ON ${nameText(nameOf(relation))}`;
      if (!known) return [{ of, sql: [sql], drops: true }];
      const { node } = known;
      const before =
        node && "CreateTrigStmt" in node && write({ CreateTrigStmt: { ...node.CreateTrigStmt, replace: true } });
      return before ? [{ of, sql: [before] }] : [{ of, never: notInHistory }];
    },
  },
  CreateEventTrigStmt: {
    opinion: { unknown: "its function runs at statements that come later, and may refuse them" },
    undo: ({ trigname = "" }) => [
      {
        of: { kind: "other", key: `event trigger ${trigname}` },
        sql: [`DROP EVENT TRIGGER ${identifier(trigname)}`],
        drops: true,
      },
    ],
  },
  AlterEventTrigStmt: {
    opinion: { unknown: "the trigger's function runs at statements that come later, and may refuse them" },
  },
};

/** The rules for DROP TRIGGER and DROP EVENT TRIGGER. */
export const triggerDrops: Drops<"OBJECT_TRIGGER" | "OBJECT_EVENT_TRIGGER"> = {
  OBJECT_TRIGGER: {
    opinion: "judged",
    entry: "trigger",
    lock: (_name, _schema, effects, _statement, object) => effects.touch(onTable(object), "ACCESS EXCLUSIVE"),
    apply({ name }, schema, _statement, object) {
      const table = keyOf(onTable(object));
      for (const [key, trigger] of schema.triggers)
        if (trigger.table === table && trigger.name === name) schema.triggers.delete(key);
      schema.dependents.delete(`trigger ${table} ${name}`);
    },
  },
  OBJECT_EVENT_TRIGGER: { opinion: "harmless" },
};

/** The bits of the parser's `events` field. Source: PostgreSQL, trigger.h (TRIGGER_TYPE_INSERT and so on). */
const eventBits: readonly [number, Trigger["events"][number]][] = [
  [4, "insert"],
  [8, "delete"],
  [16, "update"],
  [32, "truncate"],
];

/** The columns of NEW and OLD in a trigger's WHEN condition. */
function rowColumns(when: Node | undefined): string[] {
  const found: string[] = [];
  walk(when, (node) => {
    const parts = "ColumnRef" in node ? partsOf(node.ColumnRef.fields) : [];
    if (parts.length === 2 && /^(new|old)$/.test(parts[0]!)) found.push(parts[1]!);
  });
  return found;
}
