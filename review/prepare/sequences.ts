import type { Node } from "libpg-query";
import { textOf } from "../../migrations/sql/constant";
import { keyOf, type Name, nameFromText, partsOf } from "../../migrations/sql/identifier";
import { callsOf, some } from "../../migrations/sql/references";

/** A call of setval(). */
export interface SetValue {
  readonly sequence: Name;
  readonly value: Node | undefined;
  /** Whether the value is taken from the largest one in use, or from a sequence. */
  readonly follows: boolean;
}

const followers = ["max", "last_value", "nextval", "currval", "greatest"];

/** Lists the calls of setval() in a SELECT for sequences whose names are known. */
export function valuesSet(node: Node): SetValue[] {
  if (!("SelectStmt" in node)) return [];
  return callsOf(node).flatMap(({ name, args: [argument, value] }) => {
    const sequence = name === "setval" && argument ? sequenceOf(argument) : undefined;
    return sequence ? [{ sequence, value, follows: some(value, isFollower) }] : [];
  });
}

/** Lists the keys of the sequences that a statement sets by the rows, as in `setval('s', (SELECT max(id) FROM t))`. */
export function sequencesFollowing(node: Node): string[] {
  return valuesSet(node).flatMap(({ sequence, follows: following }) => (following ? [keyOf(sequence)] : []));
}

/** Returns the sequence in `'"User_id_seq"'`, `'s'::regclass` or `pg_get_serial_sequence('"User"', 'id')`. */
export function sequenceOf(argument: Node): Name | undefined {
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

/** Returns whether the node reads the largest value of a column, or a sequence's value by a function or a column. */
function isFollower(node: Node): boolean {
  const names =
    "FuncCall" in node ? partsOf(node.FuncCall.funcname) : "ColumnRef" in node ? partsOf(node.ColumnRef.fields) : [];
  return followers.includes(names.at(-1) ?? "");
}
