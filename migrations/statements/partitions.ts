import type { PartitionBoundSpec } from "libpg-query";
import type { Effects } from "../schema/effect";
import type { Index, Table } from "../schema/objects";
import { insideProof, outsideProof } from "../schema/partition-bounds";
import type { Schema } from "../schema/schema";
import { identifier, keyOf, type Name } from "../sql/identifier";

/** Records the effects on other tables when a table becomes a partition or is made as one. */
export function partitionAdded(parent: Name, bound: PartitionBoundSpec, schema: Schema, effects: Effects): void {
  const table = schema.table(parent);
  otherSides(table, schema, effects);
  for (const other of schema.referencing(keyOf(parent))) effects.touch(other.name, "SHARE ROW EXCLUSIVE");
  const rest = defaultOf(parent, schema);
  if (!rest || bound.is_default) return;
  for (const part of [rest, ...schema.descendants(keyOf(rest.name))]) {
    const proof = outsideProof(part, table?.partitionKey, bound);
    if (proof === "proven" || part.partitioned) effects.touch(part.name, "ACCESS EXCLUSIVE");
    else
      effects.touch(
        part.name,
        "ACCESS EXCLUSIVE",
        "scan",
        "rows that belong into the new partition are looked for in the default one",
        proof === "possible",
      );
  }
}

/**
 * Records the effects of ATTACH PARTITION: the table's rows are checked against its bounds, and it gets the indexes and
 * foreign keys of the partitioned table.
 */
export function partitionAttached(
  parent: Name,
  child: Name,
  bound: PartitionBoundSpec,
  schema: Schema,
  effects: Effects,
): void {
  const table = schema.table(parent);
  for (const name of [child, ...schema.descendants(keyOf(child)).map((part) => part.name)]) {
    const part = schema.table(name);
    effects.touch(name, "ACCESS EXCLUSIVE");
    if (part?.partitioned) continue;
    const proof = insideProof(part, table?.partitionKey, bound);
    if (proof !== "proven" && !bound.is_default)
      effects.touch(
        name,
        "ACCESS EXCLUSIVE",
        "scan",
        "every row is checked against the partition's bounds",
        proof === "possible",
      );
    for (const { kind, columns, references, name: constraint } of table?.constraints ?? []) {
      if (kind !== "foreign" || references === undefined) continue;
      // If the partition already has this foreign key, Postgres keeps it and drops triggers of the other table.
      if (part?.constraints.some((own) => own.references === references && own.columns.join() === columns.join()))
        effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
      else effects.touch(name, "ACCESS EXCLUSIVE", "scan", `the foreign key ${identifier(constraint)} is checked`);
    }
    const own = schema.indexesOf(keyOf(name));
    for (const index of schema.indexesOf(keyOf(parent)))
      if (!own.some((other) => alike(index, other)))
        effects.touch(name, "ACCESS EXCLUSIVE", "index", `it gets an index as ${identifier(index.name.name)}`);
  }
}

/** Records the effects when a partition is detached or dropped. */
export function partitionRemoved(parent: Name, child: Name, schema: Schema, effects: Effects): void {
  effects.touch(child, "ACCESS EXCLUSIVE");
  otherSides(schema.table(parent), schema, effects);
  for (const other of schema.referencing(keyOf(parent)))
    effects.touch(other.name, "ACCESS EXCLUSIVE", "scan", "rows that point to the partition are looked for");
  const rest = defaultOf(parent, schema);
  if (rest) effects.touch(rest.name, "ACCESS EXCLUSIVE");
}

/** The default partition of a table; undefined where the history doesn't show one. */
function defaultOf(parent: Name, schema: Schema): Table | undefined {
  return schema.children(keyOf(parent)).find(({ isDefault }) => isDefault);
}

/** Records the locks on the tables to which foreign keys of a partitioned table point. */
function otherSides(table: Table | undefined, schema: Schema, effects: Effects): void {
  for (const { references } of table?.constraints ?? [])
    if (references !== undefined) effects.touch(schema.named(references), "SHARE ROW EXCLUSIVE");
}

function alike(a: Index, b: Index): boolean {
  return a.signature === b.signature && a.unique === b.unique;
}
