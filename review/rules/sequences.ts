import type { AlterTableCmd, Node } from "libpg-query";
import { booleanOf, integerOf, optionOf, textOf } from "../../migrations/sql/constant";
import { identifier, keyOf, type Name, nameFromText, nameOf, partsOf } from "../../migrations/sql/identifier";
import { callsOf, some } from "../../migrations/sql/references";
import type { FindingClass } from "../../settings/finding-classes";
import { type Context, columnText, type JudgedStatement, tableText, target } from "./context";
import { isNewColumn } from "./new-constraints";

const inserts = "Inserts fail with duplicate keys, in pods of the old version and of the new one.";

/** Sequences that are set back or begin anew although the table has rows, and identities that refuse what pods write. */
export function judgeSequences(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("AlterSeqStmt" in node && node.AlterSeqStmt.sequence) {
    options(statement, context, nameOf(node.AlterSeqStmt.sequence), node.AlterSeqStmt.options);
  } else if ("SelectStmt" in node) {
    for (const { sequence, value, follows } of valuesSet(node))
      if (sequence && !follows) backwards(statement, context, sequence, integerOf(value));
  } else if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
    const name = nameOf(node.AlterTableStmt.relation);
    if (context.isNew(name)) return;
    for (const item of node.AlterTableStmt.cmds ?? [])
      if ("AlterTableCmd" in item && !isNewColumn(name, item.AlterTableCmd.name ?? "", context))
        command(statement, item.AlterTableCmd, name, context);
  }
}

/** Keys of the sequences that a statement sets to follow the rows that are there: `setval('s', (SELECT max(id) FROM t))`. */
export function sequencesFollowing(node: Node): string[] {
  if (!("SelectStmt" in node)) return [];
  return valuesSet(node).flatMap(({ sequence, follows }) => (sequence && follows ? [keyOf(sequence)] : []));
}

function valuesSet(node: Node): { sequence: Name | undefined; value: Node | undefined; follows: boolean }[] {
  return callsOf(node)
    .filter(({ name }) => name === "setval")
    .map(({ args: [sequence, value] }) => ({
      sequence: sequence && sequenceOf(sequence),
      value,
      // The largest value that is there, or the sequence's own.
      follows: some(value, follows),
    }));
}

/** The largest value of a column, or one of a sequence: by a call, or as a column of the sequence itself. */
function follows(node: Node): boolean {
  const names =
    "FuncCall" in node ? partsOf(node.FuncCall.funcname) : "ColumnRef" in node ? partsOf(node.ColumnRef.fields) : [];
  return ["max", "last_value", "nextval", "currval", "greatest"].includes(names.at(-1) ?? "");
}

/** `'"User_id_seq"'`, `'s'::regclass`, `pg_get_serial_sequence('"User"', 'id')`. */
function sequenceOf(argument: Node): Name | undefined {
  if ("TypeCast" in argument) return argument.TypeCast.arg && sequenceOf(argument.TypeCast.arg);
  if ("FuncCall" in argument) {
    const [table, column] = (argument.FuncCall.args ?? []).map((item) => textOf(item));
    if (partsOf(argument.FuncCall.funcname).at(-1) !== "pg_get_serial_sequence" || table === undefined)
      return undefined;
    const name = nameFromText(table);
    return name && { ...name, name: `${name.name}_${column}_seq` };
  }
  const text = textOf(argument);
  return text === undefined ? undefined : nameFromText(text);
}

function backwards(statement: JudgedStatement, context: Context, sequence: Name, value: number | undefined): void {
  if (context.isNewObject(sequence) || context.isNewSequence(sequence)) return;
  const owner = context.schema.sequenceOwner(sequence);
  if (context.sequencesFollowing.has(keyOf(sequence)) || (owner && context.emptied.has(keyOf(owner.table)))) return;
  const rows = owner && context.size(owner.table)?.rows;
  report(statement, context, {
    about: keyOf(sequence),
    what: `It lets the sequence ${tableText(sequence)} go on at ${value ?? "its start"}, whatever is in use: numbers that are there come again.`,
    who: inserts,
    severity: rows !== undefined && (value ?? 1) > rows ? "info" : "warning",
    note: followNote(sequence, owner?.table, owner?.column),
  });
}

/** Options of a sequence that let it give numbers again: RESTART, a step backwards, CYCLE. */
function options(
  statement: JudgedStatement,
  context: Context,
  sequence: Name,
  given: Parameters<typeof optionOf>[0],
): void {
  const restart = optionOf(given, "restart");
  if (restart) backwards(statement, context, sequence, integerOf(restart.arg));
  if (context.isNewObject(sequence) || context.isNewSequence(sequence)) return;
  const back = (integerOf(optionOf(given, "increment")?.arg) ?? 1) < 0;
  const again = booleanOf(optionOf(given, "cycle")?.arg) === true;
  if (back || again)
    report(statement, context, {
      about: keyOf(sequence),
      what: `It lets the sequence ${tableText(sequence)} ${back ? "count down" : "begin anew after its last number"}: numbers that are there come again.`,
      who: inserts,
    });
}

function followNote(sequence: Name, table: Name | undefined, column: string | undefined): string {
  const [t, c] = table && column !== undefined ? [tableText(table), identifier(column)] : ["its table", "its column"];
  return `Set it by what is there: SELECT setval('${tableText(sequence)}', (SELECT max(${c}) FROM ${t})).`;
}

function command(statement: JudgedStatement, cmd: AlterTableCmd, name: Name, context: Context): void {
  const { subtype, name: column = "", def } = cmd;
  const sequence = { ...name, name: `${name.name}_${column}_seq` };
  const always =
    (def && "Constraint" in def && def.Constraint.generated_when === "a") ||
    integerOf(optionOf(def, "generated")?.arg) === "a".charCodeAt(0);
  if (subtype === "AT_SetIdentity") {
    options(statement, context, sequence, def);
  } else if (subtype === "AT_AddIdentity" && !context.sequencesFollowing.has(keyOf(sequence))) {
    const options = def && "Constraint" in def ? def.Constraint.options : undefined;
    begins(statement, context, name, column, sequence, integerOf(optionOf(options, "start")?.arg) ?? 1);
  } else if (subtype === "AT_ColumnDefault" && isKey(context, name, column)) {
    const [call] = def ? callsOf(def).filter((item) => item.name === "nextval") : [];
    const named = call?.args[0] && sequenceOf(call.args[0]);
    // Of an older one it can't be told where it is.
    if (named && context.isNewObject(named) && !context.sequencesFollowing.has(keyOf(named)))
      begins(statement, context, name, column, named, 1);
  }
  if (context.plan.contract) return;
  if (always)
    report(statement, context, {
      rule: "identity-always",
      classes: ["incompatible"],
      about: target(name, column),
      what: `It lets only Postgres itself give ${columnText(name, column)} its values (GENERATED ALWAYS).`,
      who: "Pods of the old version that write the column themselves fail.",
    });
  else if (subtype === "AT_DropIdentity" || subtype === "AT_DropExpression")
    report(statement, context, {
      rule: "drop-default",
      classes: ["incompatible"],
      about: target(name, column),
      what: `It no longer fills ${columnText(name, column)} by itself.`,
      who: `Pods of the old version leave it out: ${subtype === "AT_DropIdentity" ? "they can insert nothing" : "their rows have NULL in it, or are refused"}.`,
    });
}

function begins(
  statement: JudgedStatement,
  context: Context,
  name: Name,
  column: string,
  sequence: Name,
  start: number,
): void {
  const rows = context.size(name)?.rows;
  if (context.emptied.has(keyOf(name)) || rows === 0) return;
  report(statement, context, {
    about: target(name, column),
    what: `It numbers ${columnText(name, column)} from ${start} on, whatever numbers the rows have that are there.`,
    who: inserts,
    severity: rows !== undefined && start > rows ? "info" : "warning",
    note: followNote(sequence, name, column),
  });
}

function isKey(context: Context, name: Name, column: string): boolean {
  return context.schema.indexesOf(keyOf(name)).some(({ unique, columns }) => unique && columns.join() === column);
}

function report(
  statement: JudgedStatement,
  context: Context,
  draft: {
    rule?: string;
    classes?: readonly FindingClass[];
    about: string;
    what: string;
    who: string;
    severity?: "info" | "warning";
    note?: string;
  },
): void {
  const { rule = "sequence-behind", classes = ["failing", "incompatible"], about, severity = "warning", note } = draft;
  context.report(
    {
      rule,
      classes,
      severity,
      target: about,
      what: draft.what,
      who: draft.who,
      howLong: rule === "sequence-behind" ? "until the sequence has passed them" : "until the rollout is complete",
      ...(note !== undefined && { safe: { migrations: [], note } }),
    },
    statement,
  );
}
