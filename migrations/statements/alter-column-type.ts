import type { AlterTableCmd, ColumnDef, Node } from "libpg-query";
import { collationOf } from "../schema/definition";
import type { Table } from "../schema/objects";
import { typeOnly } from "../schema/record";
import type { Schema } from "../schema/schema";
import { columnType, folds, isStamp, typeChange, typeText } from "../sql/column-type";
import { identifier, keyOf, partsOf } from "../sql/identifier";
import type { Altered, AlteredBefore, Subcommand } from "./family";
import { notInHistory, type Undo } from "./undo";

/** The subcommand ALTER COLUMN … TYPE. */
export const alterColumnType: Subcommand = {
  opinion: "judged",
  work({ name = "", def }, on) {
    const converted = convert(name, def && "ColumnDef" in def ? def.ColumnDef : undefined, on);
    remakeForeignKeys(name, converted, on);
  },
  apply({ name = "", def }, table, schema) {
    if (!def || !("ColumnDef" in def)) return;
    const { collation: _, ...before } = table.columns.get(name) ?? { name, notNull: false, filled: false };
    table.columns.set(name, { ...before, type: columnType(def.ColumnDef.typeName), ...collationOf(def.ColumnDef) });
    schema.definitions?.set({ kind: "column", key: keyOf(table.name), part: name }, typeOnly(def.ColumnDef));
  },
  undo: earlierType,
};

/**
 * Records the work on the table, and returns whether the values of the column are converted, which rewrites every row.
 */
function convert(name: string, definition: ColumnDef | undefined, at: Altered): boolean {
  const { relation, table, schema, effects, on } = at;
  const column = table?.columns.get(name);
  const from = schema.baseOf(column?.type, true);
  const to = schema.baseOf(columnType(definition?.typeName));
  const plain = plainConversion(definition?.raw_default, name, to?.name);
  const change = plain ? typeChange(from, to, schema.utc) : "rewrite";
  if (change !== "none") {
    const byZone = plain && from && to && from.name !== to.name && isStamp(from) && isStamp(to);
    const because = `every ${identifier(name)} is converted from ${typeText(from)} to ${typeText(to)}${byZone ? " (unless TimeZone is UTC)" : ""}`;
    on("rewrite", because, change === "uncertain");
    return true;
  }
  const collated = definition !== undefined && column?.collation !== collationOf(definition).collation;
  for (const of of [table, ...(relation.inh ? schema.descendants(keyOf(at.name)) : [])])
    if (of) rebuild(of, name, collated, at);
  if (folds(from, to) && schema.indexesOf(keyOf(at.name)).some((each) => each.columns.includes(name)))
    effects.touch(at.name, "ACCESS EXCLUSIVE", "index", `the indexes on ${identifier(name)} are built anew`);
  return false;
}

/** Records the locks on both sides of the column's foreign keys, which Postgres makes again. */
function remakeForeignKeys(column: string, converted: boolean, { name, table, schema, effects }: Altered): void {
  const key = keyOf(name);
  for (const other of schema.pointingTo(key, column)) {
    const checked = converted && other.constraints.some(({ references, valid }) => references === key && valid);
    if (checked) effects.touch(other.name, "ACCESS EXCLUSIVE", "scan", "its foreign key is checked anew");
    else effects.touch(other.name, "ACCESS EXCLUSIVE");
  }
  for (const { columns, references } of table?.constraints ?? [])
    if (references !== undefined && columns.includes(column))
      effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
}

/**
 * Records the work of a type change that rewrites no row: checks that mention the column read every row again, and
 * indexes are built again if they have an expression or a WHERE clause, or all of them if the collation changes.
 * Source: CheckIndexCompatible and ATPostAlterTypeCleanup.
 */
function rebuild(table: Table, column: string, collated: boolean, { schema, effects }: Altered): void {
  for (const { mentions, valid, name } of table.constraints)
    if (valid && mentions?.includes(column))
      effects.touch(table.name, "ACCESS EXCLUSIVE", "scan", `the check ${identifier(name)} reads every row again`);
  for (const { name, columns, derivedFrom = [], partial } of schema.indexesOf(keyOf(table.name))) {
    const derived = partial || columns.includes("(expression)");
    const depends = columns.includes(column) || derivedFrom.includes(column);
    if (depends && (derived || collated))
      effects.touch(table.name, "ACCESS EXCLUSIVE", "index", `the index ${identifier(name.name)} is built anew`);
  }
}

/** Whether there is no USING, or one that is the same as the default conversion. */
function plainConversion(using: Node | undefined, column: string, type: string | undefined): boolean {
  if (!using) return true;
  if ("ColumnRef" in using) return partsOf(using.ColumnRef.fields).at(-1) === column;
  if (!("TypeCast" in using)) return false;
  const { arg, typeName } = using.TypeCast;
  return (
    arg !== undefined && "ColumnRef" in arg && columnType(typeName)?.name === type && plainConversion(arg, column, type)
  );
}

/** The integers, each of which holds every value of those before it. */
const integers = ["int2", "int4", "int8"];

/**
 * Sets a column's type to what it was before, if the new type has kept every value as it was. Postgres refuses that
 * where a value was written since that the earlier type can't hold.
 */
function earlierType({ name = "", def }: AlterTableCmd, { key, table, schema, write, alter }: AlteredBefore): Undo[] {
  const of = { kind: "type of", key, part: name } as const;
  const definition = def && "ColumnDef" in def ? def.ColumnDef : undefined;
  const column = table?.columns.get(name);
  const node = schema.definitions?.get({ kind: "column", key, part: name })?.node;
  const before = node && "ColumnDef" in node ? node.ColumnDef : undefined;
  const type = before?.typeName && write({ TypeName: before.typeName });
  if (!column || !before || type === undefined) return [{ of, never: notInHistory }];
  const [from, to] = [schema.baseOf(column.type), schema.baseOf(columnType(definition?.typeName))];
  const plain = plainConversion(definition?.raw_default, name, to?.name);
  const byText = schema.enums.get(from?.name ?? "")?.length !== undefined && isEnumExchange(definition, name, schema);
  const widened =
    from !== undefined &&
    to !== undefined &&
    from.array === to.array &&
    (typeChange(from, to) === "none" ||
      (integers.includes(from.name) && integers.indexOf(to.name) > integers.indexOf(from.name)));
  if (!byText && !(plain && widened))
    return [
      {
        of,
        never: `the values were converted from ${typeText(from)} to ${typeText(to)}, and what they were is not kept`,
      },
    ];
  const c = identifier(name);
  const collation = before.collClause
    ? ` COLLATE ${partsOf(before.collClause.collname).map(identifier).join(".")}`
    : "";
  const using = byText ? ` USING (${c}::text::${type})` : "";
  // Postgres would convert the default too, and leave the conversion in it.
  const known = schema.definitions?.get({ kind: "default of", key, part: name });
  const text = known?.node && write(known.node);
  if (column.filled && known && text === undefined) return [{ of, never: notInHistory }];
  const [without, again] =
    text === undefined ? ["", ""] : [`ALTER COLUMN ${c} DROP DEFAULT, `, `, ALTER COLUMN ${c} SET DEFAULT ${text}`];
  return [
    {
      of,
      sql: [alter(`${without}ALTER COLUMN ${c} TYPE ${type}${collation}${using}${again}`)],
      note: `It fails if ${c} has a value by then that ${typeText(from)} can't hold.`,
    },
  ];
}

/** Whether the new type is an enum whose values are all in the old one, and the conversion goes by their text. */
function isEnumExchange(definition: ColumnDef | undefined, column: string, schema: Schema): boolean {
  const to = columnType(definition?.typeName);
  if (!to || to.array > 0 || !schema.enums.has(to.name)) return false;
  const cast = definition?.raw_default;
  if (!cast || !("TypeCast" in cast) || columnType(cast.TypeCast.typeName)?.name !== to.name) return false;
  return plainConversion(cast.TypeCast.arg, column, "text");
}
