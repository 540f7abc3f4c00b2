import type { Node } from "libpg-query";
import type { Schema } from "../schema/schema";
import { keyOf, type Name, nameOf, nameOfParts, nameText } from "../sql/identifier";
import type { LockMode } from "../sql/locks";
import { isPureFunction } from "../sql/pure-functions";
import { analyzed, callsOf, tablesRead } from "../sql/references";
import { alterTableEffect } from "./alter-table-effect";
import { drop, onTable } from "./drop-effect";
import { type Effect, Effects } from "./effect";
import { partitionAdded } from "./partition-effect";
import { notJudged } from "./statement-kinds";
import { truncated } from "./truncate";

/** LOCK TABLE's mode, as the parser numbers it. */
const numbered: readonly (LockMode | undefined)[] = [
  undefined,
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
];

/** The tables a statement locks, how, and for what work, given what the history made before it. */
export function effectOf(node: Node, schema: Schema): Effect {
  if ("ExplainStmt" in node) {
    const query = analyzed(node);
    return query && "SelectStmt" in query ? effectOf(query, schema) : { tables: [] };
  }
  if ("CreateForeignTableStmt" in node && node.CreateForeignTableStmt.base)
    return effectOf({ CreateStmt: node.CreateForeignTableStmt.base }, schema);
  const effects = new Effects();
  const on = (
    relation: Parameters<typeof nameOf>[0] | undefined,
    ...rest: Parameters<Effects["touch"]> extends [Name, ...infer R] ? R : never
  ) => relation && effects.touch(nameOf(relation), ...rest);
  if ("AlterTableStmt" in node) alterTableEffect(node.AlterTableStmt, schema, effects);
  else if ("CreateStmt" in node) createTable(node.CreateStmt, schema, effects);
  else if ("IndexStmt" in node) {
    const { relation, concurrent, if_not_exists, idxname } = node.IndexStmt;
    const there =
      if_not_exists &&
      idxname !== undefined &&
      relation &&
      schema.indexes.has(keyOf({ ...nameOf(relation), name: idxname }));
    const work = there ? "none" : "index";
    const table = relation && schema.table(nameOf(relation));
    // A partitioned table has no rows of its own.
    on(relation, concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE", table?.partitioned ? "none" : work);
    // CONCURRENTLY is refused there: see judge/refused.ts.
    if (table && relation.inh && !(concurrent && table.partitioned))
      for (const child of schema.descendants(keyOf(table.name)))
        effects.touch(child.name, "SHARE", child.partitioned ? "none" : work);
  } else if ("DropStmt" in node) drop(node.DropStmt, schema, effects);
  else if ("RenameStmt" in node) rename(node.RenameStmt, effects);
  else if ("AlterObjectSchemaStmt" in node) {
    const { relation, objectType } = node.AlterObjectSchemaStmt;
    if (objectType !== "OBJECT_SEQUENCE") on(relation, "ACCESS EXCLUSIVE");
  } else if ("TruncateStmt" in node) {
    for (const name of truncated(node.TruncateStmt, schema)) effects.touch(name, "ACCESS EXCLUSIVE");
  } else if ("LockStmt" in node) {
    for (const item of node.LockStmt.relations ?? [])
      if ("RangeVar" in item) on(item.RangeVar, numbered[node.LockStmt.mode ?? 8] ?? "ACCESS EXCLUSIVE");
  } else if ("InsertStmt" in node)
    on(
      node.InsertStmt.relation,
      "ROW EXCLUSIVE",
      node.InsertStmt.selectStmt && isSelection(node.InsertStmt.selectStmt) ? "rows" : "none",
    );
  else if ("UpdateStmt" in node) on(node.UpdateStmt.relation, "ROW EXCLUSIVE", "rows");
  else if ("DeleteStmt" in node) {
    on(node.DeleteStmt.relation, "ROW EXCLUSIVE", "rows");
  } else if ("MergeStmt" in node) on(node.MergeStmt.relation, "ROW EXCLUSIVE", "rows");
  else if ("CopyStmt" in node) {
    const { relation, is_from, filename, is_program } = node.CopyStmt;
    on(relation, is_from ? "ROW EXCLUSIVE" : "ACCESS SHARE");
    if (!is_from && filename !== undefined)
      effects.cannotTell(
        is_program ? "it runs a program on the database's server" : "it writes a file on the database's server",
      );
  } else if ("CreateTrigStmt" in node) {
    on(node.CreateTrigStmt.relation, "SHARE ROW EXCLUSIVE");
    on(node.CreateTrigStmt.constrrel, "SHARE ROW EXCLUSIVE");
  } else if ("RuleStmt" in node) on(node.RuleStmt.relation, "ACCESS EXCLUSIVE");
  else if ("CreatePolicyStmt" in node) on(node.CreatePolicyStmt.table, "ACCESS EXCLUSIVE");
  else if ("AlterPolicyStmt" in node) on(node.AlterPolicyStmt.table, "ACCESS EXCLUSIVE");
  else if ("CommentStmt" in node) comment(node.CommentStmt, effects);
  else if ("CreateStatsStmt" in node) {
    for (const item of node.CreateStatsStmt.relations ?? [])
      if ("RangeVar" in item) on(item.RangeVar, "SHARE UPDATE EXCLUSIVE");
  } else if ("CreatePublicationStmt" in node || "AlterPublicationStmt" in node) {
    const { pubobjects } = "CreatePublicationStmt" in node ? node.CreatePublicationStmt : node.AlterPublicationStmt;
    for (const item of pubobjects ?? [])
      if ("PublicationObjSpec" in item) on(item.PublicationObjSpec.pubtable?.relation, "SHARE UPDATE EXCLUSIVE");
  } else if ("VacuumStmt" in node) vacuum(node.VacuumStmt, effects);
  else if ("ClusterStmt" in node) {
    if (node.ClusterStmt.relation)
      on(node.ClusterStmt.relation, "ACCESS EXCLUSIVE", "rewrite", "rows are put into the order of an index");
    else effects.cannotTell("it rewrites every table that was clustered before");
  } else if ("ReindexStmt" in node) reindex(node.ReindexStmt, schema, effects);
  else if ("RefreshMatViewStmt" in node)
    on(
      node.RefreshMatViewStmt.relation,
      node.RefreshMatViewStmt.concurrent ? "EXCLUSIVE" : "ACCESS EXCLUSIVE",
      node.RefreshMatViewStmt.concurrent ? "rows" : "rewrite",
      "its query runs anew",
    );
  else if ("CreateTableAsStmt" in node || "ViewStmt" in node) {
    const view = "ViewStmt" in node ? node.ViewStmt : undefined;
    if (view?.replace && view.view && schema.table(nameOf(view.view))) on(view.view, "ACCESS EXCLUSIVE");
  } else if ("AlterDomainStmt" in node) domain(node.AlterDomainStmt, schema, effects);
  else if ("DoStmt" in node) effects.cannotTell("the statements inside a DO block are decided while it runs");
  else if ("SelectStmt" in node || "DeclareCursorStmt" in node) {
    const called = callsOf(node).find(({ name }) => !isPureFunction(name));
    if (called) effects.cannotTell(`what the function ${called.name} does is decided while it runs`);
  } else if ("TransactionStmt" in node && /_PREPARED$/.test(node.TransactionStmt.kind ?? ""))
    effects.cannotTell("what the prepared transaction did stands somewhere else");
  const unknown = notJudged(node);
  if (unknown !== undefined) effects.cannotTell(unknown);
  const touched = effects.done();
  const written = new Set(touched.tables.map(({ name }) => keyOf(name)));
  // The weakest locks, which block nobody, for the sake of completeness.
  for (const { name, update } of tablesRead(node))
    if (!written.has(keyOf(name))) effects.touch(name, update ? "ROW SHARE" : "ACCESS SHARE");
  return effects.done();
}

function isSelection(select: Node): boolean {
  return (
    "SelectStmt" in select &&
    (select.SelectStmt.valuesLists ?? []).length === 0 &&
    select.SelectStmt.fromClause !== undefined
  );
}

function createTable(
  statement: Extract<Node, { CreateStmt: unknown }>["CreateStmt"],
  schema: Schema,
  effects: Effects,
): void {
  for (const parent of statement.inhRelations ?? [])
    if ("RangeVar" in parent) {
      effects.touch(nameOf(parent.RangeVar), statement.partbound ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE");
      if (statement.partbound) partitionAdded(nameOf(parent.RangeVar), statement.partbound, schema, effects);
    }
  const foreign = [...(statement.tableElts ?? []), ...(statement.constraints ?? [])].flatMap((element) =>
    "ColumnDef" in element ? (element.ColumnDef.constraints ?? []) : [element],
  );
  for (const element of foreign)
    if ("Constraint" in element && element.Constraint.pktable) {
      const name = nameOf(element.Constraint.pktable);
      // A table may point to itself; it is new then.
      if (!statement.relation || keyOf(name) !== keyOf(nameOf(statement.relation)))
        effects.touch(name, "SHARE ROW EXCLUSIVE");
    }
}

function rename(statement: Extract<Node, { RenameStmt: unknown }>["RenameStmt"], effects: Effects): void {
  const { renameType, relation } = statement;
  const tables = [
    "OBJECT_TABLE",
    "OBJECT_COLUMN",
    "OBJECT_TABCONSTRAINT",
    "OBJECT_TRIGGER",
    "OBJECT_POLICY",
    "OBJECT_RULE",
    "OBJECT_VIEW",
    "OBJECT_MATVIEW",
  ];
  if (relation && tables.includes(renameType ?? "")) effects.touch(nameOf(relation), "ACCESS EXCLUSIVE");
}

function comment(statement: Extract<Node, { CommentStmt: unknown }>["CommentStmt"], effects: Effects): void {
  const { objtype, object } = statement;
  if (objtype === "OBJECT_TABLE" || objtype === "OBJECT_VIEW" || objtype === "OBJECT_MATVIEW")
    effects.touch(nameOfParts(object), "SHARE UPDATE EXCLUSIVE");
  else if (objtype === "OBJECT_COLUMN" && object) effects.touch(onTable(object), "SHARE UPDATE EXCLUSIVE");
}

function vacuum(statement: Extract<Node, { VacuumStmt: unknown }>["VacuumStmt"], effects: Effects): void {
  const full = (statement.options ?? []).some((option) => "DefElem" in option && option.DefElem.defname === "full");
  const tables = (statement.rels ?? []).flatMap((item) =>
    "VacuumRelation" in item && item.VacuumRelation.relation ? [item.VacuumRelation.relation] : [],
  );
  for (const relation of tables)
    effects.touch(
      nameOf(relation),
      full ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE",
      full ? "rewrite" : "none",
      full ? "the table is written anew" : undefined,
    );
  if (tables.length === 0 && full)
    effects.cannotTell("it writes every table of the database anew, each under an ACCESS EXCLUSIVE lock");
}

function reindex(
  statement: Extract<Node, { ReindexStmt: unknown }>["ReindexStmt"],
  schema: Schema,
  effects: Effects,
): void {
  const concurrent = (statement.params ?? []).some(
    (option) => "DefElem" in option && option.DefElem.defname === "concurrently",
  );
  const lock = concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE";
  const { kind, relation } = statement;
  if (kind === "REINDEX_OBJECT_TABLE" && relation) effects.touch(nameOf(relation), lock, "index");
  else if (kind === "REINDEX_OBJECT_INDEX" && relation) {
    const index = schema.indexes.get(keyOf(nameOf(relation)));
    if (index) effects.touch(schema.named(index.table), lock, "index");
    else
      effects.cannotTell(`the history doesn't make the index ${nameText(nameOf(relation))}, so its table isn't known`);
  } else effects.cannotTell("it builds the indexes of many tables anew");
}

function domain(
  statement: Extract<Node, { AlterDomainStmt: unknown }>["AlterDomainStmt"],
  schema: Schema,
  effects: Effects,
): void {
  const checks = statement.subtype === "C" || statement.subtype === "O" || statement.subtype === "V";
  const def = statement.def;
  const later = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
  if (!checks || later) return;
  for (const { table } of schema.using(keyOf(nameOfParts(statement.typeName))))
    effects.touch(table.name, "SHARE", "scan", "every value of the domain is checked");
}
