import type { ColumnDef, Constraint as ConstraintNode, Node, RangeVar } from "libpg-query";
import { columnType, volatileCall } from "../sql/column-type";
import { treeText } from "../sql/expression";
import { keyOf, nameOf, partsOf } from "../sql/identifier";
import { columnsMentioned, tablesRead } from "../sql/references";
import type { Column, ColumnSource, Constraint, Table } from "./objects";
import { recordColumn, recordConstraint } from "./record";
import { emptyTable, type Schema } from "./schema";

/** A column definition in the form that the review checks. */
export interface DefinedColumn {
  readonly column: Column;
  readonly constraints: Constraint[];
  /** The expression after DEFAULT. */
  readonly default?: Node;
  readonly generated?: "stored" | "virtual";
  readonly identity: boolean;
  /** Why adding the column must write every row of an existing table; undefined if it needn't. */
  readonly fills: string | undefined;
  /** Whether `fills` is only assumed, because the volatility of a function isn't known. */
  readonly uncertain: boolean;
}

/** The constraints that a column definition has. */
export function columnConstraints(definition: ColumnDef): ConstraintNode[] {
  return (definition.constraints ?? []).flatMap((item) => ("Constraint" in item ? [item.Constraint] : []));
}

/**
 * Reads a column definition.
 * @param table the table's name, from which Postgres derives the names of unnamed constraints
 */
export function defineColumn(definition: ColumnDef, table: string, schema: Schema): DefinedColumn {
  const name = definition.colname ?? "";
  const type = columnType(definition.typeName);
  const nodes = columnConstraints(definition);
  const of = (kind: string) => nodes.find(({ contype }) => contype === kind);
  const expression = of("CONSTR_DEFAULT")?.raw_expr;
  const generatedNode = of("CONSTR_GENERATED");
  const generated = generatedNode && (generatedNode.generated_kind === "v" ? "virtual" : "stored");
  const identity = of("CONSTR_IDENTITY") !== undefined;
  const primary = of("CONSTR_PRIMARY") !== undefined;
  const volatile = volatileCall(expression, (name) => schema.routines.get(name)?.volatility);
  const fills =
    generated === "stored"
      ? "it is computed and stored"
      : type?.serial || identity
        ? "each row gets its own number"
        : volatile !== undefined
          ? `${volatile.name} gives each row its own value`
          : type && schema.domains.has(type.name) && expression === undefined
            ? `the type ${type.name} has a constraint`
            : undefined;
  return {
    column: {
      name,
      type,
      ...collationOf(definition),
      notNull:
        definition.is_not_null === true ||
        of("CONSTR_NOTNULL") !== undefined ||
        primary ||
        type?.serial === true ||
        identity,
      filled:
        (expression !== undefined && !isNull(expression)) ||
        type?.serial === true ||
        identity ||
        generated !== undefined,
      source: sourceOf(expression, generated !== undefined, identity || type?.serial === true),
    },
    constraints: nodes.flatMap((node) => constraintOf(node, table, schema, name) ?? []),
    ...(expression && { default: expression }),
    ...(generated && { generated }),
    identity,
    fills,
    uncertain: volatile?.uncertain === true && generated !== "stored" && !type?.serial && !identity,
  };
}

/** Where the value of a column comes from; undefined if it is NULL unless a row sets it. */
export function sourceOf(expression: Node | undefined, generated = false, numbered = false): ColumnSource | undefined {
  if (generated) return { kind: "generated" };
  if (numbered) return { kind: "sequence" };
  return expression && !isNull(expression) ? { kind: "default", expression } : undefined;
}

/** The collation that a definition names; empty if that is the type's default collation. */
export function collationOf({ collClause }: ColumnDef): { collation?: string } {
  const collation = partsOf(collClause?.collname).at(-1);
  return collation === undefined || collation === "default" ? {} : { collation };
}

/**
 * A constraint in the form that the schema stores; undefined for what isn't a table
 * constraint (a column's NOT NULL, DEFAULT and so on).
 */
export function constraintOf(
  node: ConstraintNode,
  table: string,
  schema: Schema,
  column?: string,
): Constraint | undefined {
  const valid = node.skip_validation !== true;
  const named = (columns: readonly string[], suffix: string) => node.conname ?? [table, ...columns, suffix].join("_");
  switch (node.contype) {
    case "CONSTR_CHECK": {
      const notNullOf = notNullTests(node.raw_expr);
      const mentioned = node.raw_expr ? [...columnsMentioned(node.raw_expr)] : [];
      // Postgres names a check after its column if it mentions exactly one.
      const columns = column !== undefined ? [column] : mentioned.length === 1 ? mentioned : [];
      return {
        name: named(columns, "check"),
        kind: "check",
        columns,
        valid,
        ...(node.raw_expr && { expression: node.raw_expr }),
        mentions: mentioned,
        ...(notNullOf.length > 0 && {
          notNullOf,
          onlyNotNull: node.raw_expr !== undefined && "NullTest" in node.raw_expr,
        }),
      };
    }
    case "CONSTR_NOTNULL": {
      const columns = column === undefined ? partsOf(node.keys) : [column];
      // NOT NULL in a column's definition is stored as `notNull` of the column.
      if (column !== undefined) return undefined;
      return { name: named(columns, "not_null"), kind: "not null", columns, valid };
    }
    case "CONSTR_UNIQUE":
    case "CONSTR_PRIMARY": {
      const columns = column === undefined ? indexedColumns(node, schema) : [column];
      const primary = node.contype === "CONSTR_PRIMARY";
      const name = node.conname ?? node.indexname ?? (primary ? `${table}_pkey` : named(columns, "key"));
      return { name, kind: primary ? "primary" : "unique", columns, valid };
    }
    case "CONSTR_EXCLUSION":
      return { name: named([], "excl"), kind: "exclude", columns: [], valid };
    case "CONSTR_FOREIGN": {
      const columns = column === undefined ? partsOf(node.fk_attrs) : [column];
      const references = node.pktable ? keyOf(nameOf(node.pktable)) : undefined;
      return {
        name: named(columns, "fkey"),
        kind: "foreign",
        columns,
        valid,
        ...(references !== undefined && { references }),
        referenced: partsOf(node.pk_attrs),
        onDelete: node.fk_del_action ?? "a",
        onUpdate: node.fk_upd_action ?? "a",
      };
    }
    default:
      return undefined;
  }
}

function indexedColumns(node: ConstraintNode, schema: Schema): string[] {
  if (node.indexname === undefined) return partsOf(node.keys);
  for (const index of schema.indexes.values()) if (index.name.name === node.indexname) return index.columns;
  return [];
}

/**
 * The columns of `a IS NOT NULL AND b IS NOT NULL AND …`. Like Postgres, it
 * searches through AND and NOT, but not through OR.
 */
function notNullTests(expression: Node | undefined, negated = false): string[] {
  if (!expression) return [];
  if ("BoolExpr" in expression) {
    const { boolop, args = [] } = expression.BoolExpr;
    if (boolop === "NOT_EXPR") return notNullTests(args[0], !negated);
    return boolop === (negated ? "OR_EXPR" : "AND_EXPR") ? args.flatMap((each) => notNullTests(each, negated)) : [];
  }
  if (!("NullTest" in expression)) return [];
  const { nulltesttype, arg } = expression.NullTest;
  if (nulltesttype !== (negated ? "IS_NULL" : "IS_NOT_NULL") || !arg || !("ColumnRef" in arg)) return [];
  return partsOf(arg.ColumnRef.fields).slice(-1);
}

/** Whether an expression is NULL, with or without a cast. */
export function isNull(expression: Node | undefined): boolean {
  if (!expression) return false;
  if ("TypeCast" in expression) return isNull(expression.TypeCast.arg);
  return "A_Const" in expression && expression.A_Const.isnull === true;
}

/** Adds a new column to the schema, with its constraints and the indexes behind them. */
export function addColumn(definition: ColumnDef, table: Table, schema: Schema): void {
  const defined = defineColumn(definition, table.name.name, schema);
  table.columns.set(defined.column.name, defined.column);
  recordColumn(definition, table, schema);
  for (const constraint of defined.constraints) addConstraint(constraint, table, schema);
  for (const node of columnConstraints(definition)) {
    const constraint = constraintOf(node, table.name.name, schema, defined.column.name);
    if (constraint) recordConstraint(node, constraint, table, schema, defined.column.name);
  }
}

/** Adds a constraint to the schema, with its effect on columns and the index behind it. */
export function addConstraint(constraint: Constraint, table: Table, schema: Schema): void {
  table.constraints.push(constraint);
  if (constraint.kind === "primary")
    for (const name of constraint.columns) {
      const column = table.columns.get(name);
      if (column) column.notNull = true;
    }
  if (constraint.kind === "not null" && constraint.valid) {
    const column = table.columns.get(constraint.columns[0] ?? "");
    if (column) column.notNull = true;
  }
  if (constraint.kind !== "primary" && constraint.kind !== "unique" && constraint.kind !== "exclude") return;
  const name = { ...table.name, name: constraint.name };
  schema.indexes.set(keyOf(name), {
    name,
    table: keyOf(table.name),
    unique: constraint.kind !== "exclude",
    columns: constraint.columns,
    signature: signatureOf(constraint.columns.map((column) => ({ name: column }))),
    method: constraint.kind === "exclude" ? "gist" : "btree",
    elements: constraint.columns.map(() => ({ descending: false })),
  });
}

/** A text that is equal for two indexes that are alike, made of the elements of their definitions. */
export function signatureOf(elements: readonly object[], where?: Node): string {
  return treeText([
    elements.map((element) => ({ ordering: "SORTBY_DEFAULT", nulls_ordering: "SORTBY_NULLS_DEFAULT", ...element })),
    where,
  ]);
}

/**
 * Adds a table or view to the schema whose columns are those of a query. These columns aren't tracked.
 * @param query for a view, the statement that makes it
 */
export function addQueryResult(
  relation: RangeVar,
  kind: Table["kind"],
  schema: Schema,
  migration: string,
  query?: Node,
): void {
  const name = nameOf(relation);
  const table = emptyTable(name, schema.table(name)?.madeIn ?? migration);
  table.kind = kind;
  table.known = false;
  if (query) {
    const tables = tablesRead(query).map((read) => keyOf(read.name));
    table.reads = { tables: new Set(tables.filter((key) => key !== keyOf(name))), columns: columnsMentioned(query) };
  }
  schema.tables.set(keyOf(name), table);
  schema.definitions?.set({ kind: kind === "table" ? "table" : "view", key: keyOf(name) }, query);
}
