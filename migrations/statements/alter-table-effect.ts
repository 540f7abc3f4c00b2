import type { AlterTableCmd, AlterTableStmt, RangeVar } from "libpg-query";
import { collationOf, columnConstraints, defineColumn } from "../schema/definition";
import type { Table } from "../schema/objects";
import type { Schema } from "../schema/schema";
import { columnType, folds, isStamp, typeChange, typeText } from "../sql/column-type";
import { identifier, keyOf, type Name, nameOf, partsOf } from "../sql/identifier";
import type { LockMode } from "../sql/locks";
import { Effects, type Work } from "./effect";
import { partitionAdded, partitionAttached, partitionRemoved } from "./partition-effect";

/** Subcommands that need less than ACCESS EXCLUSIVE. Source: PostgreSQL documentation, ALTER TABLE; AlterTableGetLockLevel. */
const weaker: Record<string, LockMode> = {
  AT_SetStatistics: "SHARE UPDATE EXCLUSIVE",
  AT_ClusterOn: "SHARE UPDATE EXCLUSIVE",
  AT_DropCluster: "SHARE UPDATE EXCLUSIVE",
  AT_SetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ValidateConstraint: "SHARE UPDATE EXCLUSIVE",
  AT_AttachPartition: "SHARE UPDATE EXCLUSIVE",
  AT_DetachPartitionFinalize: "SHARE UPDATE EXCLUSIVE",
  AT_EnableTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableAlwaysTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableReplicaTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigUser: "SHARE ROW EXCLUSIVE",
  AT_DisableTrig: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigUser: "SHARE ROW EXCLUSIVE",
};

/** Storage parameters that need ACCESS EXCLUSIVE; the others need SHARE UPDATE EXCLUSIVE. Source: reloptions.c. */
const strongOptions = new Set(["user_catalog_table", "security_barrier", "security_invoker", "check_option"]);

export function alterTableEffect(statement: AlterTableStmt, schema: Schema, effects: Effects): void {
  const { relation, cmds, objtype } = statement;
  if (!relation) return;
  if (objtype === "OBJECT_SEQUENCE" || objtype === "OBJECT_TYPE" || objtype === "OBJECT_INDEX") return;
  const name = nameOf(relation);
  const table = schema.table(name);
  const found = new Effects();
  for (const item of cmds ?? [])
    if ("AlterTableCmd" in item) subcommand(item.AlterTableCmd, relation, table, schema, found);
  const attaching = (cmds ?? []).some(
    (item) => "AlterTableCmd" in item && /Partition/.test(item.AlterTableCmd.subtype ?? ""),
  );
  // Without ONLY (which the parser tells by leaving `inh` out), what holds for a table holds for its partitions and children.
  const children = relation.inh && !attaching ? schema.descendants(keyOf(name)) : [];
  for (const { name: on, lock, work, because, uncertain } of found.done().tables) {
    const own = keyOf(on) === keyOf(name);
    // A partitioned table has no rows of its own.
    effects.touch(on, lock, own && table?.partitioned && !attaching ? "none" : work, because, uncertain);
    if (own) for (const child of children) effects.touch(child.name, lock, work, because, uncertain);
  }
}

function subcommand(
  cmd: AlterTableCmd,
  relation: RangeVar,
  table: Table | undefined,
  schema: Schema,
  effects: Effects,
): void {
  const name = nameOf(relation);
  const lock = lockOf(cmd);
  const on = (work: Work = "none", because?: string, uncertain = false) =>
    effects.touch(name, lock, work, because, uncertain);
  const column = cmd.name === undefined ? "" : identifier(cmd.name);
  const definition = cmd.def && "ColumnDef" in cmd.def ? cmd.def.ColumnDef : undefined;
  on();
  switch (cmd.subtype) {
    case "AT_AddColumn": {
      if (!definition || (cmd.missing_ok && table?.columns.has(definition.colname ?? ""))) break;
      const defined = defineColumn(definition, name.name, schema);
      const added = identifier(defined.column.name);
      if (defined.fills !== undefined) on("rewrite", `${added} is filled in: ${defined.fills}`, defined.uncertain);
      for (const { kind } of defined.constraints) {
        if (kind === "unique" || kind === "primary") on("index", `an index is built for ${added}`);
        if (kind === "check") on("scan", `the check of ${added} reads every row`);
      }
      // A constant default is stored once for all rows; without one, NULLs are looked for.
      if (defined.column.notNull && !defined.column.filled) on("scan", `${added} must not be NULL`);
      for (const { pktable, contype } of columnConstraints(definition))
        if (contype === "CONSTR_FOREIGN" && pktable) {
          effects.touch(nameOf(pktable), "SHARE ROW EXCLUSIVE");
          if (defined.default) on("scan", `the foreign key of ${added} is checked`);
        }
      break;
    }
    case "AT_AlterColumnType":
      alterType(cmd, relation, table, schema, effects);
      break;
    case "AT_SetNotNull":
      setNotNull(cmd.name ?? "", table, on);
      break;
    case "AT_AddConstraint":
      addConstraint(cmd, name, table, schema, effects, on);
      break;
    case "AT_DropConstraint": {
      const constraint = table?.constraints.find((item) => item.name === cmd.name);
      if (constraint?.references !== undefined) effects.touch(schema.named(constraint.references), "ACCESS EXCLUSIVE");
      if (
        constraint &&
        cmd.behavior === "DROP_CASCADE" &&
        (constraint.kind === "primary" || constraint.kind === "unique")
      )
        for (const other of schema.referencing(keyOf(name))) effects.touch(other.name, "ACCESS EXCLUSIVE");
      break;
    }
    case "AT_DropColumn":
      for (const { columns, references } of table?.constraints ?? [])
        if (references !== undefined && columns.includes(cmd.name ?? ""))
          effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
      if (cmd.behavior !== "DROP_CASCADE") break;
      for (const view of schema.viewsOf(keyOf(name), cmd.name)) effects.touch(view.name, "ACCESS EXCLUSIVE");
      for (const other of schema.pointingTo(keyOf(name), cmd.name ?? "")) effects.touch(other.name, "ACCESS EXCLUSIVE");
      break;
    case "AT_ValidateConstraint": {
      const constraint = table?.constraints.find((item) => item.name === cmd.name);
      if (constraint?.valid) break;
      on("scan", "every row is checked", constraint === undefined);
      if (constraint?.references !== undefined) effects.touch(schema.named(constraint.references), "ROW SHARE");
      break;
    }
    case "AT_AlterConstraint": {
      const change = cmd.def && "ATAlterConstraint" in cmd.def ? cmd.def.ATAlterConstraint : undefined;
      if (!change?.alterEnforceability) break;
      const constraint = table?.constraints.find((item) => item.name === change.conname);
      if (constraint?.references !== undefined) effects.touch(schema.named(constraint.references), "ACCESS EXCLUSIVE");
      if (change.is_enforced) on("scan", "every row is checked", constraint === undefined);
      break;
    }
    case "AT_SetLogged":
    case "AT_SetUnLogged":
      on("rewrite", "the table is written anew");
      break;
    case "AT_SetTableSpace":
    case "AT_SetAccessMethod":
      on("rewrite", "the table is copied");
      break;
    case "AT_SetExpression":
      on("rewrite", `${column} is computed anew`);
      break;
    case "AT_AttachPartition":
    case "AT_DetachPartition":
      partition(cmd, name, schema, effects);
      break;
  }
}

function lockOf(cmd: AlterTableCmd): LockMode {
  const { subtype = "", def } = cmd;
  if (subtype === "AT_SetRelOptions" || subtype === "AT_ResetRelOptions") {
    const options = def && "List" in def ? (def.List.items ?? []) : [];
    const strong = options.some((item) => "DefElem" in item && strongOptions.has(item.DefElem.defname ?? ""));
    return strong ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE";
  }
  if (subtype === "AT_AddConstraint" && def && "Constraint" in def && def.Constraint.contype === "CONSTR_FOREIGN")
    return "SHARE ROW EXCLUSIVE";
  if (subtype === "AT_DetachPartition" && def && "PartitionCmd" in def && def.PartitionCmd.concurrent)
    return "SHARE UPDATE EXCLUSIVE";
  return weaker[subtype] ?? "ACCESS EXCLUSIVE";
}

function alterType(
  cmd: AlterTableCmd,
  relation: RangeVar,
  table: Table | undefined,
  schema: Schema,
  effects: Effects,
): void {
  const name = nameOf(relation);
  const definition = cmd.def && "ColumnDef" in cmd.def ? cmd.def.ColumnDef : undefined;
  const column = table?.columns.get(cmd.name ?? "");
  const from = schema.baseOf(column?.type, true);
  const to = schema.baseOf(columnType(definition?.typeName));
  const plain = plainConversion(definition?.raw_default, cmd.name ?? "", to?.name);
  const change = plain ? typeChange(from, to, schema.utc) : "rewrite";
  const because = `every ${identifier(cmd.name ?? "")} is converted from ${typeText(from)} to ${typeText(to)}${plain && from && to && from.name !== to.name && isStamp(from) && isStamp(to) ? " (unless TimeZone is UTC)" : ""}`;
  if (change !== "none") effects.touch(name, "ACCESS EXCLUSIVE", "rewrite", because, change === "uncertain");
  else {
    const collated = definition !== undefined && column?.collation !== collationOf(definition).collation;
    for (const of of [table, ...(relation.inh ? schema.descendants(keyOf(name)) : [])])
      if (of) rebuilt(of, cmd.name ?? "", collated, schema, effects);
  }
  if (
    change === "none" &&
    folds(from, to) &&
    schema.indexesOf(keyOf(name)).some((each) => each.columns.includes(cmd.name ?? ""))
  )
    effects.touch(name, "ACCESS EXCLUSIVE", "index", `the indexes on ${identifier(cmd.name ?? "")} are built anew`);
  for (const other of schema.pointingTo(keyOf(name), cmd.name ?? "")) {
    const key = keyOf(name);
    const checked = change !== "none" && other.constraints.some(({ references, valid }) => references === key && valid);
    if (checked) effects.touch(other.name, "ACCESS EXCLUSIVE", "scan", "its foreign key is checked anew");
    else effects.touch(other.name, "ACCESS EXCLUSIVE");
  }
  // Foreign keys of the column are made anew, on both sides.
  for (const { columns, references } of table?.constraints ?? [])
    if (references !== undefined && columns.includes(cmd.name ?? ""))
      effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
}

/**
 * What a change of a column's type does where no row is written anew: indexes that do more than hold the column are built again, as are
 * all of its indexes for another collation, and checks are read again. Source: CheckIndexCompatible and ATPostAlterTypeCleanup.
 */
function rebuilt(table: Table, column: string, collated: boolean, schema: Schema, effects: Effects): void {
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

/** No USING, or one that says no more than the conversion by itself. */
function plainConversion(
  using: NonNullable<AlterTableCmd["def"]> | undefined,
  column: string,
  type: string | undefined,
): boolean {
  if (!using) return true;
  if ("ColumnRef" in using) return partsOf(using.ColumnRef.fields).at(-1) === column;
  if (!("TypeCast" in using)) return false;
  const { arg, typeName } = using.TypeCast;
  return (
    arg !== undefined && "ColumnRef" in arg && columnType(typeName)?.name === type && plainConversion(arg, column, type)
  );
}

function setNotNull(
  name: string,
  table: Table | undefined,
  on: (work: Work, because?: string, uncertain?: boolean) => unknown,
): void {
  const column = table?.columns.get(name);
  if (column?.notNull) return;
  const proven = table?.constraints.some(({ notNullOf, valid }) => notNullOf?.includes(name) && valid);
  if (!proven) on("scan", `NULLs are looked for in ${identifier(name)}`, column === undefined);
}

function addConstraint(
  cmd: AlterTableCmd,
  name: Name,
  table: Table | undefined,
  schema: Schema,
  effects: Effects,
  on: (work: Work, because?: string, uncertain?: boolean) => unknown,
): void {
  const node = cmd.def && "Constraint" in cmd.def ? cmd.def.Constraint : undefined;
  const later = node?.skip_validation === true;
  switch (node?.contype) {
    case "CONSTR_FOREIGN":
      if (node.pktable && keyOf(nameOf(node.pktable)) !== keyOf(name))
        effects.touch(nameOf(node.pktable), "SHARE ROW EXCLUSIVE");
      if (!later) on("scan", "every row is looked up in the other table");
      break;
    case "CONSTR_CHECK":
    case "CONSTR_NOTNULL":
      if (!later) on("scan", "every row is checked");
      break;
    case "CONSTR_UNIQUE":
    case "CONSTR_PRIMARY": {
      if (node.indexname === undefined) on("index");
      if (node.contype === "CONSTR_UNIQUE") break;
      const columns =
        node.indexname === undefined
          ? partsOf(node.keys)
          : [...schema.indexes.values()].find((index) => index.name.name === node.indexname)?.columns;
      for (const column of columns ?? []) {
        const proven = table?.constraints.some(({ notNullOf, valid }) => notNullOf?.includes(column) && valid);
        if (!table?.columns.get(column)?.notNull && !proven)
          on("scan", `NULLs are looked for in ${identifier(column)}`);
      }
      break;
    }
    case "CONSTR_EXCLUSION":
      on("index");
      break;
  }
}

function partition(cmd: AlterTableCmd, name: Name, schema: Schema, effects: Effects): void {
  const part = cmd.def && "PartitionCmd" in cmd.def ? cmd.def.PartitionCmd : undefined;
  if (!part?.name) return;
  const child = nameOf(part.name);
  if (cmd.subtype === "AT_AttachPartition") {
    partitionAdded(name, part.bound ?? {}, schema, effects);
    partitionAttached(name, child, part.bound ?? {}, schema, effects);
  } else if (part.concurrent) effects.touch(child, "SHARE UPDATE EXCLUSIVE");
  else partitionRemoved(name, child, schema, effects);
}
