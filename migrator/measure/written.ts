import type { Node } from "libpg-query";
import { escapeIdentifier } from "pg";
import type { Migration } from "../../migrations/history/history";
import { nodeOf, parseScript } from "../../migrations/sql/parse";

/** A migration, and the schema of the names in it that have none. */
interface Text {
  readonly migration: Migration;
  readonly schema: string;
}

/** A unique index, a unique constraint or a primary key of a migration. */
interface UniqueKey {
  /** Whether it has a predicate, so that not all rows are in it. */
  readonly isPartial: boolean;
  /** Whether two rows without a value are duplicates of each other. Default: false, as in Postgres. */
  readonly nullsNotDistinct: boolean;
}

/** A foreign key of a migration. */
interface ForeignKey {
  readonly columns: readonly string[];
  /** The quoted name of the parent with its schema. */
  readonly parent: string;
  readonly parentName: string;
  /** The parent's columns in the order of `columns`; empty: the migration doesn't name them. */
  readonly parentColumns: readonly string[];
}

/** A column that a migration changes to a type with a greatest length. */
interface LimitedColumn {
  /** The quoted name of the table with its schema. */
  readonly table: string;
  readonly tableName: string;
  readonly column: string;
  readonly length: number;
}

/** The types whose modifier is the greatest number of characters, by Postgres' own names. */
const LIMITED = new Set(["varchar", "bpchar", "varbit"]);

/**
 * Returns the unique keys that a migration adds to a table.
 * @param table the quoted name of the table with its schema
 * @param name the name of the key. Those that the migration doesn't name are returned too.
 */
export function uniqueKeys(text: Text, table: string, name: string): UniqueKey[] {
  return statements(text).flatMap((node) => {
    if ("IndexStmt" in node) {
      const { unique, relation, idxname = name, whereClause, nulls_not_distinct } = node.IndexStmt;
      if (!unique || quoted(relation, text) !== table || idxname !== name) return [];
      return [{ isPartial: whereClause !== undefined, nullsNotDistinct: nulls_not_distinct === true }];
    }
    return subcommands(node, text).flatMap(({ of, def }) => {
      const added = def && "Constraint" in def ? def.Constraint : undefined;
      const isUnique = added?.contype === "CONSTR_UNIQUE" || added?.contype === "CONSTR_PRIMARY";
      if (!isUnique || of !== table || (added.conname ?? name) !== name) return [];
      return [{ isPartial: false, nullsNotDistinct: added.nulls_not_distinct === true }];
    });
  });
}

/**
 * Returns the foreign keys that a migration adds to columns which are there.
 * @param table the quoted name of the table with its schema
 * @param name the name of the key. Those that the migration doesn't name are returned too.
 */
export function foreignKeys(text: Text, table: string, name: string): ForeignKey[] {
  return alterations(text).flatMap(({ of, def }) => {
    const added = def && "Constraint" in def ? def.Constraint : undefined;
    if (added?.contype !== "CONSTR_FOREIGN" || of !== table || (added.conname ?? name) !== name) return [];
    return [
      {
        columns: names(added.fk_attrs),
        parent: quoted(added.pktable, text),
        parentName: added.pktable?.relname ?? "",
        parentColumns: names(added.pk_attrs),
      },
    ];
  });
}

/** Returns the columns whose values a migration keeps, and whose type gets a greatest length. */
export function limitedColumns(text: Text): LimitedColumn[] {
  return alterations(text).flatMap(({ of, tableName, subtype, name: column, def }) => {
    const change = def && "ColumnDef" in def ? def.ColumnDef : undefined;
    // With USING the values are others than those that are there.
    if (subtype !== "AT_AlterColumnType" || column === undefined || change?.raw_default) return [];
    if (!LIMITED.has(names(change?.typeName?.names).at(-1) ?? "")) return [];
    const [length] = (change?.typeName?.typmods ?? []).flatMap((each) =>
      "A_Const" in each ? (each.A_Const.ival?.ival ?? []) : [],
    );
    return length === undefined ? [] : [{ table: of, tableName, column, length }];
  });
}

function statements({ migration }: Text): Node[] {
  return [...parseScript(migration.sql)].map((each): Node => nodeOf(each));
}

/** Returns every subcommand of the ALTER TABLE statements of a migration. */
function alterations(text: Text) {
  return statements(text).flatMap((node) => subcommands(node, text));
}

function subcommands(node: Node, text: Text) {
  if (!("AlterTableStmt" in node)) return [];
  const { relation, cmds = [] } = node.AlterTableStmt;
  const of = quoted(relation, text);
  const tableName = relation?.relname ?? "";
  return cmds.flatMap((each) => ("AlterTableCmd" in each ? [{ ...each.AlterTableCmd, of, tableName }] : []));
}

function quoted(relation: { schemaname?: string; relname?: string } | undefined, { schema }: Text): string {
  return `${escapeIdentifier(relation?.schemaname ?? schema)}.${escapeIdentifier(relation?.relname ?? "")}`;
}

function names(nodes: readonly Node[] = []): string[] {
  return nodes.flatMap((each) => ("String" in each ? (each.String.sval ?? []) : []));
}
