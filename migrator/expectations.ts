import { maskSql } from "../migrations/mask-sql";
import type { Catalog } from "./catalog";
import type { RangeVar } from "./left-behind";

/** What a statement promises of the catalog: that an entry (see catalog.ts) is there, not there, or has a word in its definition. */
export interface Expectation {
  readonly key: string;
  readonly present: boolean;
  /** The entry's definition must (not) match. */
  readonly definition?: { readonly matches: RegExp; readonly text: string };
  /** The key of the table that it is a partition of: it goes with it. */
  readonly partitionOf?: string;
}

export function isMet({ key, present, definition }: Expectation, catalog: Catalog): boolean {
  const found = catalog[key];
  if (!present) return found === undefined;
  return found !== undefined && (definition === undefined || definition.matches.test(found));
}

/** What the catalog has where the expectation looks. */
export function describeExpectation({ key, definition }: Expectation, catalog: Catalog): string {
  const found = catalog[key];
  if (found === undefined) return `there is no ${key}`;
  return definition ? `${key} is ${maskSql(found).slice(0, 120)} (looked for: ${definition.text})` : `there is ${key}`;
}

// biome-ignore lint/suspicious/noExplicitAny: the grammar's nodes, of which only a few fields are looked at
type Nodes = any;

const OBJECTS: Record<string, string> = {
  OBJECT_TABLE: "table",
  OBJECT_VIEW: "view",
  OBJECT_MATVIEW: "materialized view",
  OBJECT_INDEX: "index",
  OBJECT_SEQUENCE: "sequence",
  OBJECT_TYPE: "type",
  OBJECT_DOMAIN: "type",
  OBJECT_SCHEMA: "schema",
  OBJECT_EXTENSION: "extension",
};

/** Rows can't be told by the catalog: such statements promise nothing. */
export function expectationsOf(node: Nodes, schema: string): Expectation[] {
  const name = (relation: RangeVar) => `${relation.schemaname ?? schema}.${relation.relname}`;
  const parts = (list: Nodes[]) => {
    const names: string[] = list.map((part) => part.String.sval);
    return names.length > 1 ? names.slice(-2).join(".") : `${schema}.${names[0]}`;
  };
  const there = (key: string): Expectation => ({ key, present: true });
  const gone = (key: string): Expectation => ({ key, present: false });
  // A temporary table is gone with its session.
  if ([node.CreateStmt?.relation, node.CreateTableAsStmt?.into.rel].some((each) => each?.relpersistence === "t"))
    return [];
  if (node.CreateStmt) {
    const table = name(node.CreateStmt.relation);
    const columns = (node.CreateStmt.tableElts ?? [])
      .filter((each: Nodes) => each.ColumnDef)
      .map((each: Nodes) => each.ColumnDef.colname);
    const parent = node.CreateStmt.partbound && node.CreateStmt.inhRelations[0].RangeVar;
    return [
      { ...there(`table ${table}`), ...(parent ? { partitionOf: `table ${name(parent)}` } : {}) },
      ...columns.map((column: string) => there(`column ${table}.${column}`)),
    ];
  }
  if (node.IndexStmt?.idxname) {
    const of = node.IndexStmt.relation.schemaname ?? schema;
    return [
      {
        key: `index ${of}.${node.IndexStmt.idxname}`,
        present: true,
        definition: { matches: /^(?!.*\(INVALID\)$)/s, text: "valid" },
      },
    ];
  }
  if (node.ViewStmt) return [there(`view ${name(node.ViewStmt.view)}`)];
  if (node.CreateTableAsStmt) {
    const kind = node.CreateTableAsStmt.objtype === "OBJECT_MATVIEW" ? "materialized view" : "table";
    return [there(`${kind} ${name(node.CreateTableAsStmt.into.rel)}`)];
  }
  if (node.CreateSeqStmt) return [there(`sequence ${name(node.CreateSeqStmt.sequence)}`)];
  if (node.CreateSchemaStmt?.schemaname)
    return [there(`schema ${node.CreateSchemaStmt.schemaname}`)].filter(({ key }) => key !== "schema public");
  if (node.CreateExtensionStmt)
    return [there(`extension ${node.CreateExtensionStmt.extname}`)].filter(({ key }) => key !== "extension plpgsql");
  if (node.CreateTrigStmt)
    return [there(`trigger ${name(node.CreateTrigStmt.relation)}.${node.CreateTrigStmt.trigname}`)];
  if (node.CreateEnumStmt) return [there(`type ${parts(node.CreateEnumStmt.typeName)}`)];
  if (node.CreateDomainStmt) return [there(`type ${parts(node.CreateDomainStmt.domainname)}`)];
  if (node.AlterEnumStmt?.newVal) {
    const value = `'${node.AlterEnumStmt.newVal.replaceAll("'", "''")}'`;
    const matches = new RegExp(`[( ]${value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}[,)]`);
    return [
      {
        key: `type ${parts(node.AlterEnumStmt.typeName)}`,
        present: true,
        definition: { matches, text: `value ${value}` },
      },
    ];
  }
  if (node.DropStmt?.removeType === "OBJECT_TRIGGER") {
    return node.DropStmt.objects.map((item: Nodes) => {
      const names: Nodes[] = item.List.items;
      return gone(`trigger ${parts(names.slice(0, -1))}.${names.at(-1).String.sval}`);
    });
  }
  if (node.DropStmt) {
    const kind = OBJECTS[node.DropStmt.removeType];
    if (kind === undefined) return [];
    return (node.DropStmt.objects ?? []).map((item: Nodes) => {
      if (item.String) return gone(`${kind} ${item.String.sval}`);
      return gone(`${kind} ${parts(item.TypeName?.names ?? item.List?.items ?? [])}`);
    });
  }
  if (node.RenameStmt) return renamed(node.RenameStmt, name, parts);
  // IF EXISTS: the table may not be there, then nothing is promised.
  if (node.AlterTableStmt?.objtype === "OBJECT_TABLE" && !node.AlterTableStmt.missing_ok)
    return (node.AlterTableStmt.cmds ?? []).flatMap((cmd: Nodes) =>
      altered(cmd.AlterTableCmd, name(node.AlterTableStmt.relation)),
    );
  return [];
}

function renamed(node: Nodes, name: (relation: RangeVar) => string, parts: (list: Nodes[]) => string): Expectation[] {
  const pair = (from: string, to: string): Expectation[] => [
    { key: from, present: false },
    { key: to, present: true },
  ];
  // Prisma takes a value out of an enum by making "X_new" and giving it the name of "X".
  if (node.renameType === "OBJECT_TYPE" || node.renameType === "OBJECT_DOMAIN") {
    const old = parts(node.object.List.items);
    return pair(`type ${old}`, `type ${old.slice(0, old.lastIndexOf(".") + 1)}${node.newname}`);
  }
  if (!node.relation || node.missing_ok) return [];
  const old = name(node.relation);
  const schema = old.slice(0, old.length - node.relation.relname.length);
  if (node.renameType === "OBJECT_COLUMN" && node.relationType !== "OBJECT_TABLE") return [];
  if (node.renameType === "OBJECT_COLUMN")
    return pair(`column ${old}.${node.subname}`, `column ${old}.${node.newname}`);
  if (node.renameType === "OBJECT_TABCONSTRAINT")
    return pair(`constraint ${old}.${node.subname}`, `constraint ${old}.${node.newname}`);
  const kind = OBJECTS[node.renameType];
  return kind === undefined ? [] : pair(`${kind} ${old}`, `${kind} ${schema}${node.newname}`);
}

function altered(cmd: Nodes, table: string): Expectation[] {
  const column = `column ${table}.${cmd.name}`;
  const holds = (matches: RegExp, text: string): Expectation[] => [
    { key: column, present: true, definition: { matches, text } },
  ];
  switch (cmd.subtype) {
    case "AT_AddColumn":
      return [{ key: `column ${table}.${cmd.def.ColumnDef.colname}`, present: true }];
    case "AT_DropColumn":
      return [{ key: column, present: false }];
    case "AT_SetNotNull":
      return holds(/ NOT NULL/, "NOT NULL");
    case "AT_DropNotNull":
      return holds(/^(?!.* NOT NULL)/s, "without NOT NULL");
    case "AT_ColumnDefault":
      return cmd.def ? holds(/ DEFAULT /, "with a default") : holds(/^(?!.* DEFAULT )/s, "without a default");
    case "AT_AddConstraint":
      return constrained(cmd.def?.Constraint ?? {}, table);
    case "AT_DropConstraint":
      return [{ key: `constraint ${table}.${cmd.name}`, present: false }];
    case "AT_ValidateConstraint":
      return [
        {
          key: `constraint ${table}.${cmd.name}`,
          present: true,
          definition: { matches: /^(?!.* NOT VALID)/s, text: "validated" },
        },
      ];
    default:
      return [];
  }
}

function constrained({ conname, contype, indexname, keys }: Nodes, table: string): Expectation[] {
  const schema = table.slice(0, table.lastIndexOf(".") + 1);
  const promises: Expectation[] = [];
  if (conname && contype !== "CONSTR_NOTNULL") promises.push({ key: `constraint ${table}.${conname}`, present: true });
  // USING INDEX: the index gets the constraint's name.
  if (conname && indexname && indexname !== conname)
    promises.push({ key: `index ${schema}${indexname}`, present: false });
  // A primary key makes its columns NOT NULL, whatever was said of them before.
  if (contype === "CONSTR_PRIMARY")
    for (const key of keys ?? []) promises.push({ key: `column ${table}.${key.String.sval}`, present: true });
  return promises;
}

/** What holds after a series of statements: what a later one takes back or changes is no longer promised. */
export class Promises {
  readonly #promises = new Map<string, Expectation>();
  /** After a change of `search_path` a name without a schema may be anywhere: nothing more is promised. */
  #astray = false;

  constructor(readonly schema: string) {}

  see(node: Nodes): void {
    this.#astray ||= node.VariableSetStmt?.name === "search_path" || /"sval":"search_path"/.test(selected(node));
    if (mayTakeBack(node) || this.#astray) this.#promises.clear();
    if (this.#astray) return;
    for (const expectation of expectationsOf(node, this.schema)) {
      if (!expectation.present) forgetParts(this.#promises, expectation.key);
      // A column's first promise is its existence, its second, say, NOT NULL: the later one includes the earlier.
      this.#promises.set(expectation.key, expectation);
    }
  }

  list(): Expectation[] {
    return [...this.#promises.values()];
  }
}

/**
 * Statements after which nothing earlier is promised any more, as their text does not tell what they remove: a false alarm
 * here would stop a rollout after its migrations are applied.
 */
function mayTakeBack(node: Nodes): boolean {
  const cascades =
    node.DropStmt?.behavior === "DROP_CASCADE" ||
    node.DropOwnedStmt !== undefined ||
    node.AlterTableStmt?.cmds?.some((cmd: Nodes) => cmd.AlterTableCmd?.behavior === "DROP_CASCADE");
  const calls = [node.DoStmt, node.CallStmt, node.AlterObjectSchemaStmt].some((each) => each !== undefined);
  return cascades || calls || node.RenameStmt?.renameType === "OBJECT_SCHEMA" || /"FuncCall"/.test(selected(node));
}

/** What a SELECT at the top of a script calls, as text: a function of the migration's own may do anything. */
function selected(node: Nodes): string {
  return node.SelectStmt ? JSON.stringify(node.SelectStmt.targetList ?? []) : "";
}

/** With a table its columns, constraints, partitions and sequences go, and indexes, which are known by name only. */
function forgetParts(promises: Map<string, Expectation>, key: string): void {
  const [, kind, name] = /^(table|column|type|view|schema|constraint) (.+)$/.exec(key) ?? [];
  if (name === undefined) return;
  // The index of a unique constraint goes with it, and has its name.
  if (kind === "constraint") promises.delete(`index ${name.replace(/[^.]+\.([^.]+)$/, "$1")}`);
  for (const [each, { partitionOf }] of [...promises]) {
    const inside = each.slice(each.indexOf(" ") + 1).startsWith(`${name}.`);
    if ((kind === "table" || kind === "schema") && (inside || /^(index|sequence) /.test(each))) promises.delete(each);
    if (kind === "column" && /^(index|constraint|sequence) /.test(each)) promises.delete(each);
    if (partitionOf === key) {
      promises.delete(each);
      forgetParts(promises, each);
    }
  }
}
