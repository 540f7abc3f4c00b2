import type { AlterTableCmd, AlterTableType, ColumnDef } from "libpg-query";
import { addColumn, columnConstraints, defineColumn, isNull, sourceOf } from "../schema/definition";
import { cascadeDependents, enterColumn, enterDependent, forgetDependents } from "../schema/dependents";
import { defined, gone, there } from "../schema/expectation";
import { useOf, usesOf } from "../schema/uses";
import { identifier, keyOf, nameOf } from "../sql/identifier";
import { alterColumnType } from "./alter-column-type";
import { provesNotNull } from "./alter-constraint";
import type { Altered, AlteredBefore, Subcommand } from "./family";
import { notInHistory, perhapsBefore, type Undo } from "./undo";
import { setNotNull } from "./undo-not-null";

/** The subcommands of ALTER TABLE that concern one column. */
export const alterColumn = {
  AT_AddColumn: {
    opinion: "judged",
    work: (cmd, on) => fillAdded(cmd, on),
    apply(cmd, table, schema) {
      const definition = definitionOf(cmd);
      if (definition && !(cmd.missing_ok && table.columns.has(definition.colname ?? "")))
        addColumn(definition, table, schema);
    },
    depend(cmd, table, schema) {
      const definition = definitionOf(cmd);
      if (definition) enterColumn(schema, table, definition);
    },
    expect: (cmd, table) => [there(`column ${table}.${definitionOf(cmd)?.colname}`)],
    undo: dropAdded,
  },
  AT_DropColumn: {
    opinion: "judged",
    work({ name: column = "", behavior }, { name, table, schema, effects }) {
      for (const { columns, references } of table?.constraints ?? [])
        if (references !== undefined && columns.includes(column))
          effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
      if (behavior !== "DROP_CASCADE") return;
      for (const view of schema.viewsOf(keyOf(name), column)) effects.touch(view.name, "ACCESS EXCLUSIVE");
      for (const other of schema.pointingTo(keyOf(name), column)) effects.touch(other.name, "ACCESS EXCLUSIVE");
    },
    apply({ name = "" }, table, schema) {
      table.columns.delete(name);
      schema.definitions?.delete({ kind: "column", key: keyOf(table.name), part: name });
      table.constraints = table.constraints.filter(
        ({ columns, mentions = [] }) => !columns.includes(name) && !mentions.includes(name),
      );
      for (const index of schema.indexesOf(keyOf(table.name)))
        if (index.columns.includes(name) || index.derivedFrom?.includes(name)) schema.indexes.delete(keyOf(index.name));
    },
    depend({ name = "", behavior }, table, schema) {
      forgetDependents(schema, (each) => each.table === table && each.column === name);
      if (behavior === "DROP_CASCADE") cascadeDependents(schema, useOf("column", table, name));
    },
    expect: ({ name }, table) => [gone(`column ${table}.${name}`)],
    undo: ({ name = "" }, { key }) => [
      { of: { kind: "column", key, part: name }, never: "the values of the column are gone with it" },
    ],
  },
  AT_AlterColumnType: alterColumnType,
  AT_ColumnDefault: {
    opinion: "judged",
    apply({ name = "", def }, table, schema) {
      const column = table.columns.get(name);
      if (column) {
        column.filled = def !== undefined && !isNull(def);
        column.source = sourceOf(def);
      }
      const object = { kind: "default of", key: keyOf(table.name), part: name } as const;
      if (def && !isNull(def)) schema.definitions?.set(object, def);
      else schema.definitions?.delete(object);
    },
    depend({ name = "", def }, table, schema) {
      schema.dependents.delete(`default ${table} ${name}`);
      if (def) enterDependent(schema, "default", table, name, usesOf(def, schema, table), name);
    },
    expect({ name, def }, table) {
      // DEFAULT NULL is the same as no default.
      if (isNull(def)) return [];
      const key = `column ${table}.${name}`;
      return [
        def ? defined(key, / DEFAULT /, "with a default") : defined(key, /^(?!.* DEFAULT )/s, "without a default"),
      ];
    },
    undo: earlierDefault,
  },
  AT_SetNotNull: {
    opinion: "judged",
    work({ name = "" }, { table, on }) {
      const column = table?.columns.get(name);
      if (!column?.notNull && !provesNotNull(table, name))
        on("scan", `NULLs are looked for in ${identifier(name)}`, column === undefined);
    },
    apply({ name = "" }, table) {
      const column = table.columns.get(name);
      if (column) column.notNull = true;
    },
    expect: ({ name }, table) => [defined(`column ${table}.${name}`, / NOT NULL/, "NOT NULL")],
    undo({ name = "" }, { key, table, alter }) {
      const of = { kind: "NOT NULL of", key, part: name } as const;
      const column = table?.columns.get(name);
      if (!column) return [{ of, never: notInHistory }];
      return column.notNull ? [] : [{ of, sql: [alter(`ALTER COLUMN ${identifier(name)} DROP NOT NULL`)] }];
    },
  },
  AT_DropNotNull: {
    opinion: "judged",
    apply({ name = "" }, table) {
      const column = table.columns.get(name);
      if (column) column.notNull = false;
    },
    expect: ({ name }, table) => [defined(`column ${table}.${name}`, /^(?!.* NOT NULL)/s, "without NOT NULL")],
    undo({ name = "" }, before) {
      const of = { kind: "NOT NULL of", key: before.key, part: name } as const;
      const column = before.table?.columns.get(name);
      if (!column) return [{ of, never: notInHistory }];
      return column.notNull ? [{ of, ...setNotNull(name, before) }] : [];
    },
  },
  AT_AddIdentity: {
    opinion: "judged",
    apply({ name = "" }, table) {
      const column = table.columns.get(name);
      if (column) {
        column.filled = true;
        column.source = { kind: "sequence" };
      }
    },
    undo: ({ name = "" }, { key, alter }) => [
      { of: { kind: "column", key, part: name }, sql: [alter(`ALTER COLUMN ${identifier(name)} DROP IDENTITY`)] },
    ],
  },
  AT_SetIdentity: { opinion: "judged" },
  AT_DropIdentity: {
    opinion: "judged",
    apply({ name = "" }, table) {
      const column = table.columns.get(name);
      if (column) column.source = undefined;
    },
    undo: ({ name = "" }, { key }) => [
      { of: { kind: "column", key, part: name }, never: "its sequence and the sequence's position are gone" },
    ],
  },
  AT_SetExpression: {
    opinion: "judged",
    work: ({ name = "" }, { on }) => on("rewrite", `${identifier(name)} is computed anew`),
    apply: ({ name = "", def }, table, schema) =>
      schema.definitions?.set({ kind: "generation of", key: keyOf(table.name), part: name }, def),
    undo({ name = "" }, { key, schema, write, alter }) {
      const of = { kind: "generation of", key, part: name } as const;
      const node = schema.definitions?.get(of)?.node;
      const text = node && write(node);
      if (text === undefined) return [{ of, never: notInHistory }];
      return [{ of, sql: [alter(`ALTER COLUMN ${identifier(name)} SET EXPRESSION AS (${text})`)] }];
    },
  },
  AT_DropExpression: {
    opinion: "judged",
    apply({ name = "" }, table, schema) {
      const column = table.columns.get(name);
      if (column) column.source = undefined;
      schema.definitions?.delete({ kind: "generation of", key: keyOf(table.name), part: name });
    },
    undo: ({ name = "" }, { key }) => [
      {
        of: { kind: "generation of", key, part: name },
        never: "Postgres can't make a column that exists a generated one",
      },
    ],
    depend: ({ name = "" }, table, schema) => schema.dependents.delete(`generated ${table} ${name}`),
  },
  AT_SetStatistics: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_SetOptions: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_ResetOptions: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_SetStorage: { opinion: "harmless" },
  AT_SetCompression: { opinion: "harmless" },
  AT_AlterColumnGenericOptions: { opinion: { unknown: "another server gets the option" } },
} satisfies Partial<Record<AlterTableType, Subcommand>>;

function definitionOf({ def }: AlterTableCmd): ColumnDef | undefined {
  return def && "ColumnDef" in def ? def.ColumnDef : undefined;
}

/** Records what Postgres writes, reads or builds for a new column. */
function fillAdded(cmd: AlterTableCmd, { name, table, schema, effects, on }: Altered): void {
  const definition = definitionOf(cmd);
  if (!definition || (cmd.missing_ok && table?.columns.has(definition.colname ?? ""))) return;
  const { column, fills, uncertain, constraints, default: value } = defineColumn(definition, name.name, schema);
  const added = identifier(column.name);
  if (fills !== undefined) on("rewrite", `${added} is filled in: ${fills}`, uncertain);
  for (const { kind } of constraints) {
    if (kind === "unique" || kind === "primary") on("index", `an index is built for ${added}`);
    if (kind === "check") on("scan", `the check of ${added} reads every row`);
  }
  // Postgres stores a constant default once for all rows. Without a default, it searches the rows for NULLs.
  if (column.notNull && !column.filled) on("scan", `${added} must not be NULL`);
  for (const { pktable, contype } of columnConstraints(definition))
    if (contype === "CONSTR_FOREIGN" && pktable) {
      effects.touch(nameOf(pktable), "SHARE ROW EXCLUSIVE");
      if (value) on("scan", `the foreign key of ${added} is checked`);
    }
}

function dropAdded(cmd: AlterTableCmd, { key, table, isType, alter }: AlteredBefore): Undo[] {
  const definition = definitionOf(cmd);
  const part = definition?.colname ?? "";
  if (!definition || (cmd.missing_ok && table?.columns.has(part))) return [];
  if (isType) return [{ of: { kind: "type", key }, sql: [alter(`DROP ATTRIBUTE ${identifier(part)}`)], after: true }];
  const nodes = columnConstraints(definition).map(({ contype }) => contype);
  const required = nodes.some((contype) => contype === "CONSTR_NOTNULL" || contype === "CONSTR_PRIMARY");
  const filled = nodes.some((contype) => /CONSTR_(DEFAULT|IDENTITY|GENERATED)/.test(contype ?? ""));
  return [
    {
      of: { kind: "column", key, part },
      sql: [alter(`DROP COLUMN ${identifier(part)}`)],
      drops: true,
      loses: "values",
      // The older version doesn't set the column, so a required one must go before that version serves.
      ...((!required || filled) && { after: true }),
      ...(cmd.missing_ok && { note: perhapsBefore }),
    },
  ];
}

/** Sets a column's default to what it was before. */
function earlierDefault({ name = "" }: AlterTableCmd, { key, table, schema, write, alter }: AlteredBefore): Undo[] {
  const of = { kind: "default of", key, part: name } as const;
  const column = table?.columns.get(name);
  const known = schema.definitions?.get(of);
  const text = known?.node && write(known.node);
  if (text !== undefined) return [{ of, sql: [alter(`ALTER COLUMN ${identifier(name)} SET DEFAULT ${text}`)] }];
  if (!column || column.filled || known) return [{ of, never: notInHistory }];
  return [{ of, sql: [alter(`ALTER COLUMN ${identifier(name)} DROP DEFAULT`)] }];
}
