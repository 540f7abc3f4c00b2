import { writeSql } from "../../migrations/revert/write-sql";
import type { Schema } from "../../migrations/schema/schema";
import { keyOf } from "../../migrations/sql/identifier";
import type { Database, DatabaseColumn } from "../database";

/**
 * Returns a database in which each default that is an expression has its SQL as its text, as far as the writer of SQL
 * knows it.
 */
export function withDefaultSql({ tables, enums }: Database, schema: Schema): Database {
  const sources = new Map([...schema.tables.values()].map((table) => [keyOf(table.name), table.columns]));
  const withSql = (key: string, column: DatabaseColumn): DatabaseColumn => {
    const source = sources.get(key)?.get(column.name)?.source;
    if (column.default.kind !== "expression" || source?.kind !== "default") return column;
    const sql = writeSql(source.expression);
    return sql === undefined ? column : { ...column, default: { ...column.default, text: sql } };
  };
  return {
    enums,
    tables: new Map(
      [...tables].map(([key, table]) => {
        const columns = [...table.columns].map(([name, column]) => [name, withSql(key, column)] as const);
        return [key, { ...table, columns: new Map(columns) }];
      }),
    ),
  };
}
