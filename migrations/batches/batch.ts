import type { Node } from "libpg-query";
import type { Table } from "../schema/objects";
import type { Schema } from "../schema/schema";
import { namesTemporary } from "../schema/temporary";
import { identifier, keyOf, type Name, nameOf, nameOfParts, nameText } from "../sql/identifier";
import { isPureFunction, movingFunctions } from "../sql/pure-functions";
import { callsOf, columnsMentioned, isNode, namedQueries, tablesRead } from "../sql/references";
import { type BatchChange, changeOf } from "./batch-change";
import { readBatchOptions } from "./batch-options";

/** The reason why a statement can't be run in ranges of keys, one transaction for each range. */
export interface BatchDoubt {
  /** A clause whose subject is the statement: `reads the table m again, …`. */
  readonly problem: string;
  /** False where the history doesn't show enough to be sure. A batch is then neither proposed nor refused. */
  readonly certain: boolean;
}

/**
 * Why running a statement range by range would not have the same effect as running it once; undefined if the effect is
 * the same. A statement sees its tables as they were when it began, but each range of a batch also sees the changes of
 * the ranges before it. A batch must therefore not read what it writes, apart from the row that it changes.
 * @param options the options of the directive, such as `by COLUMN`
 * @param schema the schema before the statement; without it, only the text is checked
 */
export function batchDoubt(node: Node, options: string, schema?: Schema): BatchDoubt | undefined {
  const change = changeOf(node);
  if ("problem" in change) return { ...change, certain: true };
  const read = readBatchOptions(options);
  if ("problem" in read) return { ...read, certain: true };
  if (namesTemporary(node))
    return unsure("names a temporary table, which is gone in a run that goes on with the ranges that are left");
  const doubts = [
    readsAgain(node, change, schema),
    keyOfWalk(change, read.column, schema),
    volatileParts(node),
    ...(schema ? [calls(node, change, schema), triggered(change, schema), selfReference(node, change, schema)] : []),
  ].filter((doubt) => doubt !== undefined);
  return doubts.find(({ certain }) => certain) ?? doubts[0];
}

const sure = (problem: string): BatchDoubt => ({ problem, certain: true });
const unsure = (problem: string): BatchDoubt => ({ problem, certain: false });

/**
 * The keys of a table, of the tables of which it is a partition or child, and of all their partitions and children. The
 * same rows can be reached by each of these names.
 */
function family(name: Name, schema: Schema | undefined): Set<string> {
  const keys = new Set<string>();
  for (let key: string | undefined = keyOf(name); key !== undefined && !keys.has(key); ) {
    keys.add(key);
    key = schema?.tables.get(key)?.parent;
  }
  // A Set that grows during the loop is iterated to its new end, so children of children are added too.
  for (const key of keys) for (const child of schema?.children(key) ?? []) keys.add(keyOf(child.name));
  return keys;
}

/**
 * The first table of a set that a query reads, directly or through views. A materialized view
 * doesn't count, because it stores rows of its own.
 */
function found(read: readonly string[], among: ReadonlySet<string>, schema: Schema | undefined): string | undefined {
  const seen = new Set<string>();
  for (const key of read) {
    if (among.has(key)) return key;
    const table = schema?.tables.get(key);
    if (table?.kind !== "view" || seen.has(key)) continue;
    seen.add(key);
    if (found([...(table.reads?.tables ?? [])], among, schema) !== undefined) return key;
  }
  return undefined;
}

function readsAgain(node: Node, change: BatchChange, schema: Schema | undefined): BatchDoubt | undefined {
  const written = family(change.written, schema);
  // DELETE also writes to the tables whose foreign keys have an ON DELETE action.
  if (change.kind === "delete")
    for (const key of written)
      for (const { name, constraints } of schema?.referencing(key) ?? [])
        if (constraints.some((each) => each.references === key && acts(each.onDelete))) written.add(keyOf(name));
  const reads = tablesRead(node).map(({ name }) => keyOf(name));
  const again = found(reads, written, schema) ?? [...namedQueries(node)].find((name) => written.has(name));
  if (again !== undefined) {
    const through = written.has(again) ? "" : `, through ${again},`;
    return sure(
      `reads ${nameText(change.written)}${through} beside the row that it changes: it would find what the ranges before have done there`,
    );
  }
  const foreign = schema
    ? reads.find((key) => key !== keyOf(nameOf(change.walked)) && !schema.tables.has(key))
    : undefined;
  return foreign === undefined ? undefined : unsure(`reads ${foreign}, which the history doesn't make`);
}

function acts(action: string | undefined): boolean {
  return action !== undefined && !["a", "r"].includes(action);
}

/** The clauses that a statement evaluates as a whole once, and a batch once for each range. */
const askedOnce = new Set(["whereClause", "fromClause", "usingClause"]);

/**
 * Finds volatile functions in clauses that are evaluated once per statement. In a batch these are evaluated once per
 * range, and a random value, for instance, is another each time.
 */
function volatileParts(node: Node): BatchDoubt | undefined {
  let name: string | undefined;
  const look = (value: unknown, within: boolean): void => {
    if (value === null || typeof value !== "object") return;
    const inside = within || (isNode(value) && "SubLink" in value);
    if (inside && isNode(value) && "FuncCall" in value) {
      const called = nameOfParts(value.FuncCall.funcname).name;
      if (movingFunctions.has(called)) name ??= called;
    }
    for (const [field, child] of Object.entries(value)) look(child, inside || askedOnce.has(field));
  };
  look(node, false);
  return name === undefined ? undefined : sure(`asks for ${name}(), which has another answer in each range`);
}

/** Finds functions of the history that read what the statement changes. */
function calls(node: Node, change: BatchChange, schema: Schema): BatchDoubt | undefined {
  const called = callsOf(node).map(({ name }) => name.replace(/^public\./, ""));
  for (const key of called) {
    const doubt = functionReads(key, change.written, schema);
    if (doubt) return { ...doubt, problem: `calls ${key}(), ${doubt.problem}` };
  }
  const unknown = called.find((key) => !schema.routines.has(key) && !isPureFunction(key));
  return unknown === undefined ? undefined : unsure(`calls ${unknown}(), which the history doesn't make`);
}

function functionReads(key: string, written: Name, schema: Schema, seen = new Set<string>()): BatchDoubt | undefined {
  const routine = schema.routines.get(key);
  if (!routine || seen.has(key)) return undefined;
  seen.add(key);
  if (routine.mentions === undefined) return unsure("of which it isn't known what it reads");
  const keys = family(written, schema);
  for (const name of routine.mentions) {
    if (found([name], keys, schema) !== undefined) return sure(`which mentions ${name}, that the statement changes`);
    const inner = functionReads(name, written, schema, seen);
    if (inner) return inner;
  }
  return undefined;
}

function triggered(change: BatchChange, schema: Schema): BatchDoubt | undefined {
  for (const trigger of schema.triggersOf(keyOf(change.written), change.kind)) {
    const fires = `fires the trigger ${identifier(trigger.name)}`;
    if (!trigger.row) return sure(`${fires} once for the statement, and would once for each range`);
    const doubt = functionReads(trigger.routine, change.written, schema);
    if (doubt) return { ...doubt, problem: `${fires}, whose function ${trigger.routine}() is one ${doubt.problem}` };
  }
  return undefined;
}

/** Refuses tables that reference themselves, because the rows that point to each other may be in different ranges. */
function selfReference(node: Node, change: BatchChange, schema: Schema): BatchDoubt | undefined {
  const table = schema.table(change.written);
  for (const { name, columns, references, referenced = [], onDelete } of table?.constraints ?? []) {
    if (table === undefined || references !== keyOf(table.name)) continue;
    const target = referenced.length > 0 ? referenced : primaryOf(table);
    const mentioned = columns.some((column) => columnsMentioned(node).has(column));
    const breaks =
      change.kind === "update"
        ? target.some((column) => change.assigned.includes(column))
        : change.kind === "insert"
          ? change.assigned.length === 0 || columns.some((column) => change.assigned.includes(column))
          : !acts(onDelete) || (onDelete !== "c" && mentioned);
    if (breaks)
      return sure(`has rows that point to each other (${identifier(name)}), which need not be in the same range`);
  }
  return undefined;
}

function primaryOf(table: Table | undefined): string[] {
  return table?.constraints.find(({ kind }) => kind === "primary")?.columns ?? [];
}

/**
 * Checks the key that is walked: a single column that is unique and NOT NULL, and that the statement doesn't change.
 */
function keyOfWalk(change: BatchChange, by: string | undefined, schema: Schema | undefined): BatchDoubt | undefined {
  const name = nameOf(change.walked);
  const table = schema?.table(name);
  if (table?.kind === "view") return sure(`walks ${nameText(name)}, which is a view: it needs a table with a key`);
  const column = by ?? (primaryOf(table).length === 1 ? primaryOf(table)[0] : undefined);
  if (column !== undefined && change.kind === "update" && change.assigned.includes(column))
    return sure(`changes ${identifier(column)}, the key that it is walked by`);
  if (!schema || (table && !table.madeIn && column !== undefined)) return undefined;
  // A partition has the keys of its parent, so its own indexes don't show them.
  if (!table?.known || table.parent !== undefined) return undefined;
  if (by === undefined)
    return column === undefined
      ? sure(`needs a primary key of one column in ${nameText(name)}, or "by COLUMN", to be walked by`)
      : undefined;
  const unique = schema
    .indexesOf(keyOf(name))
    .some((index) => index.unique && !index.partial && index.columns.length === 1 && index.columns[0] === by);
  return unique && table.columns.get(by)?.notNull
    ? undefined
    : sure(
        `needs ${identifier(by)} to be NOT NULL and uniquely indexed by itself in ${nameText(name)}, to be walked by it`,
      );
}
