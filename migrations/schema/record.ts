import type { ColumnDef, Constraint as ConstraintNode, Node } from "libpg-query";
import { columnType } from "../sql/column-type";
import { keyOf, nameText } from "../sql/identifier";
import type { Constraint, Table } from "./objects";
import type { Schema } from "./schema";

/** Records how a column is defined: its type, its default and its generation expression. */
export function recordColumn(column: ColumnDef, table: Table, schema: Schema): void {
  const { colname = "", typeName, constraints = [] } = column;
  const { definitions } = schema;
  if (!definitions) return;
  const key = keyOf(table.name);
  definitions.set({ kind: "column", key, part: colname }, typeOnly(column));
  for (const item of constraints) {
    const { contype, raw_expr } = "Constraint" in item ? item.Constraint : {};
    if (contype === "CONSTR_DEFAULT") definitions.set({ kind: "default of", key, part: colname }, raw_expr);
    if (contype === "CONSTR_GENERATED") definitions.set({ kind: "generation of", key, part: colname }, raw_expr);
  }
  if (columnType(typeName)?.serial) {
    const sequence = { ...table.name, name: `${table.name.name}_${colname}_seq` };
    const known =
      Buffer.byteLength(sequence.name) <= 63 && !definitions.has({ kind: "sequence", key: keyOf(sequence) });
    definitions.set({ kind: "default of", key, part: colname }, known ? nextOf(nameText(sequence)) : undefined);
  }
}

/** The part of a column's definition that ALTER COLUMN TYPE sets. */
export function typeOnly({ typeName, collClause }: ColumnDef): Node {
  const type = columnType(typeName);
  // A serial is an integer with a default. Only a new column can be made of it.
  const names = ["pg_catalog", type?.name ?? ""].map((sval): Node => ({ String: { sval } }));
  const plain = type?.serial ? { names, typemod: -1 } : typeName;
  return { ColumnDef: { ...(plain && { typeName: plain }), ...(collClause && { collClause }) } };
}

/** `nextval('sequence'::regclass)`, the default of a serial column. */
function nextOf(sequence: string): Node {
  const regclass = { names: [{ String: { sval: "regclass" } }], typemod: -1 };
  const name = { TypeCast: { arg: { A_Const: { sval: { sval: sequence } } }, typeName: regclass } };
  return {
    FuncCall: { funcname: [{ String: { sval: "nextval" } }], args: [name], funcformat: "COERCE_EXPLICIT_CALL" },
  };
}

/**
 * Records how a constraint is defined, in the form that ALTER TABLE … ADD takes.
 * @param column the column in whose definition it stands
 */
export function recordConstraint(
  node: ConstraintNode,
  constraint: Constraint,
  table: Table,
  schema: Schema,
  column?: string,
): void {
  const { definitions } = schema;
  if (!definitions) return;
  const key = keyOf(table.name);
  const { columns, mentions = [] } = constraint;
  const list = columns.map((name): Node => ({ String: { sval: name } }));
  const { location: _, indexname, skip_validation: _skipped, initially_valid: _valid, ...written } = node;
  const named = { ...written, conname: constraint.name };
  const keyed = constraint.kind === "foreign" ? { fk_attrs: list } : { keys: list };
  const inColumn = column !== undefined && constraint.kind !== "check";
  // An index of its own may have what the constraint doesn't show: INCLUDE, an opclass, an order.
  const usable =
    indexname === undefined ||
    isPlain(definitions.get({ kind: "index", key: keyOf({ ...table.name, name: indexname }) })?.node);
  const whole = { Constraint: inColumn || indexname !== undefined ? { ...named, ...keyed } : named };
  definitions.set({ kind: "constraint", key, part: constraint.name }, usable ? whole : undefined, {
    columns: [...new Set([...columns, ...mentions])],
  });
}

/** Whether an index is one that a constraint would make: of columns alone, in their usual order. */
function isPlain(node: Node | undefined): boolean {
  if (!node || !("IndexStmt" in node)) return false;
  const { indexParams = [], indexIncludingParams = [], options = [], tableSpace, whereClause } = node.IndexStmt;
  const plain = indexParams.every((item) => {
    const { name, collation, opclass, ordering, nulls_ordering } = "IndexElem" in item ? item.IndexElem : {};
    const usual = (order: string | undefined) => order === undefined || /DEFAULT$/.test(order);
    return name !== undefined && !collation && !opclass && usual(ordering) && usual(nulls_ordering);
  });
  return plain && indexIncludingParams.length === 0 && options.length === 0 && tableSpace === undefined && !whereClause;
}
