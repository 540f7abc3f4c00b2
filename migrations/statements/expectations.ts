import type { RangeVar } from "libpg-query";
import { isNull } from "../schema/definition";
import { partsOf } from "../sql/identifier";
import { maskSql } from "../sql/mask-sql";
import { columnsMentioned } from "../sql/references";

/** What a database consists of, flat, by which two of them are compared entry by entry: `column public.notes.title` → `text NOT NULL`. */
export type Catalog = Record<string, string>;

/** What a statement promises of the catalog: that an entry is there, not there, or has a word in its definition. */
export interface Expectation {
  readonly key: string;
  readonly present: boolean;
  /** The entry's definition must (not) match. */
  readonly definition?: { readonly matches: RegExp; readonly text: string };
  /** The key of what it goes with: the table of an index, the table of which it is a partition. */
  readonly partOf?: string;
  /** The columns that an index or a constraint is about: it goes with each of them. */
  readonly columns?: ReadonlySet<string>;
  /** Something of this name is there, of whatever kind: IF NOT EXISTS leaves what there is, and ALTER TABLE renames views too. */
  readonly anyKind?: boolean;
  /** The statement that may have taken it back or changed it: if it isn't as promised, that is no fault. */
  readonly uncertain?: string;
}

const RELATIONS = ["table", "view", "materialized view", "sequence", "index"];

/** `public.t` of `column public.t.a`. */
function nameIn(key: string): string {
  return key.slice(key.search(/ [^ ]*\./) + 1);
}

export function isMet({ key, present, definition, anyKind }: Expectation, catalog: Catalog): boolean {
  const found = catalog[key];
  if (!present) return found === undefined;
  if (found === undefined && anyKind) return RELATIONS.some((kind) => `${kind} ${nameIn(key)}` in catalog);
  // The columns of views are not entries of the catalog, and ALTER TABLE works on a view.
  const table = key.startsWith("column ") ? nameIn(key).replace(/\.[^.]*$/, "") : undefined;
  if (table !== undefined && (`view ${table}` in catalog || `materialized view ${table}` in catalog)) return true;
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
  const perhaps = (key: string, lenient: boolean | undefined): Expectation => ({
    ...there(key),
    ...(lenient ? { anyKind: true } : {}),
  });
  if (node.CreateStmt) {
    const table = name(node.CreateStmt.relation);
    if (node.CreateStmt.if_not_exists) return [perhaps(`table ${table}`, true)];
    const columns = (node.CreateStmt.tableElts ?? [])
      .filter((each: Nodes) => each.ColumnDef)
      .map((each: Nodes) => each.ColumnDef.colname);
    const parent = node.CreateStmt.partbound && node.CreateStmt.inhRelations[0].RangeVar;
    return [
      { ...there(`table ${table}`), ...(parent ? { partOf: `table ${name(parent)}` } : {}) },
      ...columns.map((column: string) => there(`column ${table}.${column}`)),
    ];
  }
  if (node.IndexStmt?.idxname) {
    const of = node.IndexStmt.relation.schemaname ?? schema;
    const plain = [...(node.IndexStmt.indexParams ?? []), ...(node.IndexStmt.indexIncludingParams ?? [])];
    const names = plain.flatMap((each: Nodes) => each.IndexElem?.name ?? []);
    return [
      {
        ...perhaps(`index ${of}.${node.IndexStmt.idxname}`, node.IndexStmt.if_not_exists),
        partOf: `table ${name(node.IndexStmt.relation)}`,
        columns: new Set([...names, ...columnsMentioned(node)]),
        definition: { matches: /^(?!.*\(INVALID\)$)/s, text: "valid" },
      },
    ];
  }
  if (node.ViewStmt) return [there(`view ${name(node.ViewStmt.view)}`)];
  if (node.CreateTableAsStmt) {
    const kind = node.CreateTableAsStmt.objtype === "OBJECT_MATVIEW" ? "materialized view" : "table";
    return [perhaps(`${kind} ${name(node.CreateTableAsStmt.into.rel)}`, node.CreateTableAsStmt.if_not_exists)];
  }
  if (node.SelectStmt?.intoClause) return [there(`table ${name(node.SelectStmt.intoClause.rel)}`)];
  if (node.CreateSeqStmt)
    return [perhaps(`sequence ${name(node.CreateSeqStmt.sequence)}`, node.CreateSeqStmt.if_not_exists)];
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
  if (node.AlterTableStmt?.objtype === "OBJECT_TABLE")
    return (node.AlterTableStmt.cmds ?? []).flatMap((cmd: Nodes) =>
      altered(cmd.AlterTableCmd, name(node.AlterTableStmt.relation)),
    );
  return [];
}

function renamed(node: Nodes, name: (relation: RangeVar) => string, parts: (list: Nodes[]) => string): Expectation[] {
  const pair = (from: string, to: string, anyKind = false): Expectation[] => [
    { key: from, present: false },
    { key: to, present: true, ...(anyKind ? { anyKind } : {}) },
  ];
  // Prisma takes a value out of an enum by making "X_new" and giving it the name of "X".
  if (node.renameType === "OBJECT_TYPE" || node.renameType === "OBJECT_DOMAIN") {
    const old = parts(node.object.List.items);
    return pair(`type ${old}`, `type ${old.slice(0, old.lastIndexOf(".") + 1)}${node.newname}`);
  }
  if (!node.relation) return [];
  const old = name(node.relation);
  const schema = old.slice(0, old.length - node.relation.relname.length);
  if (node.renameType === "OBJECT_COLUMN" && node.relationType !== "OBJECT_TABLE") return [];
  if (node.renameType === "OBJECT_COLUMN")
    return pair(`column ${old}.${node.subname}`, `column ${old}.${node.newname}`);
  if (node.renameType === "OBJECT_TABCONSTRAINT")
    return pair(`constraint ${old}.${node.subname}`, `constraint ${old}.${node.newname}`);
  if (node.renameType === "OBJECT_TRIGGER")
    return pair(`trigger ${old}.${node.subname}`, `trigger ${old}.${node.newname}`);
  const kind = OBJECTS[node.renameType];
  return kind === undefined ? [] : pair(`${kind} ${old}`, `${kind} ${schema}${node.newname}`, true);
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
      // A default of NULL is none.
      if (isNull(cmd.def)) return [];
      return cmd.def ? holds(/ DEFAULT /, "with a default") : holds(/^(?!.* DEFAULT )/s, "without a default");
    case "AT_AddConstraint":
      return constrained(cmd.def?.Constraint ?? {}, table, columnsMentioned(cmd.def));
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

function constrained(
  { conname, contype, indexname, keys, fk_attrs }: Nodes,
  table: string,
  mentioned: ReadonlySet<string>,
): Expectation[] {
  const schema = table.slice(0, table.lastIndexOf(".") + 1);
  const promises: Expectation[] = [];
  if (conname && contype !== "CONSTR_NOTNULL")
    promises.push({
      key: `constraint ${table}.${conname}`,
      present: true,
      columns: new Set([...mentioned, ...partsOf([...(keys ?? []), ...(fk_attrs ?? [])])]),
    });
  // USING INDEX: the index gets the constraint's name.
  if (conname && indexname && indexname !== conname)
    promises.push({ key: `index ${schema}${indexname}`, present: false });
  // A primary key makes its columns NOT NULL, whatever was said of them before.
  if (contype === "CONSTR_PRIMARY")
    for (const key of keys ?? []) promises.push({ key: `column ${table}.${key.String.sval}`, present: true });
  return promises;
}
