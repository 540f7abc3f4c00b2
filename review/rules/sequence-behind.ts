import { booleanOf, integerOf, optionOf } from "../../migrations/sql/constant";
import { identifier, keyOf, literal, type Name, nameOf, nameText } from "../../migrations/sql/identifier";
import { callsOf } from "../../migrations/sql/references";
import type { Facts } from "../facts";
import { named, target } from "../names";
import { alterations, type Command } from "../prepare/commands";
import { sequenceOf, valuesSet } from "../prepare/sequences";
import { type Draft, defineRule } from "./rule";

type Found = Draft<"sequence-behind">;
type Options = Parameters<typeof optionOf>[0];

/** This rule reports sequences that may return numbers which rows already have. */
export const sequenceBehind = defineRule({
  finds: {
    "sequence-behind": {
      classes: ["failing", "incompatible"],
      bad: "ALTER SEQUENCE users_id_seq RESTART;",
      good: "SELECT setval('users_id_seq', (SELECT max(id) FROM users));",
    },
  },
  statement(statement, facts) {
    const { node } = statement;
    if ("AlterSeqStmt" in node && node.AlterSeqStmt.sequence)
      return options(nameOf(node.AlterSeqStmt.sequence), node.AlterSeqStmt.options, facts);
    return [
      ...valuesSet(node)
        .filter(({ follows }) => !follows)
        .flatMap(({ sequence, value }) => backwards(sequence, integerOf(value), facts)),
      ...alterations(statement, facts)
        .filter(({ table, column }) => !facts.isNewColumn(table, column))
        .flatMap((command) => columnOf(command, facts)),
    ];
  },
});

/** Reports the options with which a sequence may return used numbers again: RESTART, a negative increment and CYCLE. */
function options(sequence: Name, given: Options, facts: Facts): Found[] {
  const restart = optionOf(given, "restart");
  const found = restart ? backwards(sequence, integerOf(restart.arg), facts) : [];
  if (isNew(sequence, facts)) return found;
  const back = (integerOf(optionOf(given, "increment")?.arg) ?? 1) < 0;
  const again = booleanOf(optionOf(given, "cycle")?.arg) === true;
  if (!back && !again) return found;
  const what = `Lets sequence ${named(sequence)} ${back ? "count down" : "begin again after its last number"}: it gives numbers that rows have.`;
  return [...found, behind(keyOf(sequence), what, "warning")];
}

function backwards(sequence: Name, value: number | undefined, facts: Facts): Found[] {
  const owner = facts.schema.sequenceOwner(sequence);
  if (isNew(sequence, facts) || follows(sequence, facts)) return [];
  if (owner && facts.prepared.emptied.has(keyOf(owner.table))) return [];
  const rows = owner && facts.size(owner.table)?.rows;
  const what = `Sets sequence ${named(sequence)} to ${value ?? "its start"}, whatever is in use: it gives numbers that rows have.`;
  const severity = rows !== undefined && (value ?? 1) > rows ? "info" : "warning";
  return [behind(keyOf(sequence), what, severity, followNote(sequence, owner))];
}

/** Reports a column that gets an identity or a sequence as its default. */
function columnOf({ cmd: { subtype, def }, table, column }: Command, facts: Facts): Found[] {
  const sequence = { ...table, name: `${table.name}_${column}_seq` };
  if (subtype === "AT_SetIdentity") return options(sequence, def, facts);
  if (subtype === "AT_AddIdentity" && !follows(sequence, facts)) {
    const given = def && "Constraint" in def ? def.Constraint.options : undefined;
    return begins(table, column, sequence, integerOf(optionOf(given, "start")?.arg) ?? 1, facts);
  }
  const isKey = facts.schema.indexesOf(keyOf(table)).some(({ unique, columns }) => unique && columns.join() === column);
  if (subtype !== "AT_ColumnDefault" || !isKey) return [];
  const [call] = def ? callsOf(def).filter((item) => item.name === "nextval") : [];
  const own = call?.args[0] && sequenceOf(call.args[0]);
  // The position of an older sequence is unknown, so only a new one is reported.
  return own && facts.isNewObject(own) && !follows(own, facts) ? begins(table, column, own, 1, facts) : [];
}

function begins(table: Name, column: string, sequence: Name, start: number, facts: Facts): Found[] {
  const rows = facts.size(table)?.rows;
  if (facts.prepared.emptied.has(keyOf(table)) || rows === 0) return [];
  const what = `Numbers ${named(table, column)} from ${start} on, whatever numbers the rows have.`;
  const severity = rows !== undefined && start > rows ? "info" : "warning";
  return [behind(target(table, column), what, severity, followNote(sequence, { table, column }))];
}

function behind(about: string, what: string, severity: "info" | "warning", note?: string): Found {
  return {
    rule: "sequence-behind",
    severity,
    target: about,
    what,
    who: "INSERTs fail with duplicate keys, in pods of the old and of the new version.",
    howLong: "Until the sequence has passed the numbers in use",
    ...(note !== undefined && { safe: { migrations: [], note } }),
  };
}

function isNew(sequence: Name, facts: Facts): boolean {
  return facts.isNewObject(sequence) || facts.isNewSequence(sequence);
}

function follows(sequence: Name, { prepared }: Facts): boolean {
  return prepared.sequencesFollowing.has(keyOf(sequence));
}

function followNote(sequence: Name, owner: { table: Name; column: string } | undefined): string {
  const [table, column] = owner ? [nameText(owner.table), identifier(owner.column)] : ["its_table", "its_column"];
  const sql = `SELECT setval(${literal(nameText(sequence))}, (SELECT max(${column}) FROM ${table}));`;
  return `Set it by the rows: \`${sql}\``;
}
