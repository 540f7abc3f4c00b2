import { parseSync } from "libpg-query";
import { batchDoubt } from "../../migrations/batches/batch";
import type { Schema } from "../../migrations/schema/schema";
import { identifier, keyOf, type Name, nameText } from "../../migrations/sql/identifier";

/** The first line of a contract migration, which runs after the rollout, when no old pod is left. */
export const contractMark = "-- release: contract\n";
/** The note about a statement that can't run in a transaction. */
export const ownMigration = "In a migration of its own: it can't run in a transaction.";
/** The note on how to build an index on a partitioned table. */
export const partitionedIndex =
  "CONCURRENTLY doesn't work on a partitioned table: create the index ON ONLY it, build one on each partition CONCURRENTLY, and attach those (ALTER INDEX … ATTACH PARTITION).";

/**
 * Adds the line above an UPDATE that makes the migrator run it one range of keys at a time, by the primary key or
 * another key. If the table has no such key, the UPDATE is returned unchanged.
 */
export function batched(update: string, table: Name, schema: Schema): string {
  const node = parseSync(update).stmts?.[0]?.stmt;
  if (!node) return update;
  const columns = schema
    .indexesOf(keyOf(table))
    .flatMap(({ columns: [column = ""] }) => (/^\w+$/.test(column) ? column : []));
  const by = ["", ...columns.map((column) => `by ${column}`)].find((each) => !batchDoubt(node, each, schema)?.certain);
  const mark = `-- release: batch ${by ?? ""}`.trimEnd();
  return by === undefined ? update : `${mark}\n${update}`;
}

/** Makes a name from the parts. It is cut to 63 bytes, which is Postgres' limit. */
export function newName(...parts: string[]): string {
  let name = parts.join("_");
  while (Buffer.byteLength(name) > 63) name = name.slice(0, -1);
  return name;
}

/** Writes one `ALTER TABLE` statement. */
export function alter(name: Name, command: string): string {
  return `ALTER TABLE ${nameText(name)} ${command};`;
}

/** Returns the steps to NOT NULL by a check that is validated without blocking reads and writes. */
export function notNullSteps(name: Name, column: string, contract: boolean): string[] {
  const check = identifier(newName(name.name, column, "is_set"));
  const c = identifier(column);
  const mark = contract ? contractMark : "";
  return [
    mark + alter(name, `ADD CONSTRAINT ${check} CHECK (${c} IS NOT NULL) NOT VALID`),
    mark +
      [
        alter(name, `VALIDATE CONSTRAINT ${check}`),
        alter(name, `ALTER COLUMN ${c} SET NOT NULL`),
        alter(name, `DROP CONSTRAINT ${check}`),
      ].join("\n"),
  ];
}

/** Returns the steps to a unique or primary key constraint by an index that is built while the app writes. */
export function uniqueSteps(
  name: Name,
  constraint: string,
  columns: readonly string[],
  primary: boolean,
  contract: boolean,
): string[] {
  const mark = contract ? contractMark : "";
  const i = identifier(constraint);
  const list = columns.map((column) => identifier(column)).join(", ");
  return [
    `${mark}CREATE UNIQUE INDEX CONCURRENTLY ${i} ON ${nameText(name)} (${list});`,
    mark + alter(name, `ADD CONSTRAINT ${i} ${primary ? "PRIMARY KEY" : "UNIQUE"} USING INDEX ${i}`),
  ];
}
