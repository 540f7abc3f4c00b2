import type { AlterTableCmd, Constraint } from "libpg-query";
import { constraintOf, defineColumn } from "../../migrations/schema/definition";
import type { TableEffect } from "../../migrations/schema/effect";
import type { Schema } from "../../migrations/schema/schema";
import { columnType } from "../../migrations/sql/column-type";
import { identifier, keyOf, literal, type Name, nameOf, nameText, partsOf } from "../../migrations/sql/identifier";
import { alterCommands, insertAfter, tokensOf } from "../../migrations/sql/tokens";
import type { EnumExchange, Facts, JudgedStatement } from "../facts";
import type { SafeWay } from "../finding";
import { changeType } from "./change";
import { columnTexts, fillLater } from "./column";
import { alter, newName, notNullSteps, ownMigration, partitionedIndex, uniqueSteps } from "./words";

/** Proposes how to do what a statement does without blocking other queries; undefined if there is no better way. */
export function unblock(statement: JudgedStatement, table: TableEffect, facts: Facts): SafeWay | undefined {
  const { node, text } = statement;
  if ("IndexStmt" in node) {
    if (facts.table(table.name)?.partitioned || facts.table(table.name)?.parent !== undefined)
      return {
        migrations: [],
        note: partitionedIndex,
      };
    return {
      migrations: [`${insertAfter(text, "INDEX", "CONCURRENTLY")};`],
      note: ownMigration,
    };
  }
  if ("ReindexStmt" in node) {
    const kind = node.ReindexStmt.kind === "REINDEX_OBJECT_INDEX" ? "INDEX" : "TABLE";
    return {
      migrations: [`${insertAfter(text, kind, "CONCURRENTLY")};`],
      note: ownMigration,
    };
  }
  if ("RefreshMatViewStmt" in node)
    return {
      migrations: refreshesConcurrently(table.name, facts.schema)
        ? [`${insertAfter(text, "VIEW", "CONCURRENTLY")};`]
        : [],
      note: "CONCURRENTLY needs a unique index without WHERE on the materialized view; reads then continue.",
    };
  if ("VacuumStmt" in node || "ClusterStmt" in node)
    return { migrations: [], note: "Use pg_repack, which works while the app runs, or a maintenance window." };
  if (!("AlterTableStmt" in node)) return undefined;
  const cmds = (node.AlterTableStmt.cmds ?? []).flatMap((item) =>
    "AlterTableCmd" in item ? [item.AlterTableCmd] : [],
  );
  const { head, commands } = alterCommands(text);
  const name = node.AlterTableStmt.relation ? nameOf(node.AlterTableStmt.relation) : table.name;
  const ways = cmds.map((cmd, index) => commandWay(cmd, commands[index] ?? "", head, name, facts));
  const swap = swapKey(cmds, commands, head, name, facts);
  if (swap) return swap;
  const migrations = ways.flatMap((way, index) => way?.migrations ?? (way ? [] : [`${head} ${commands[index]};`]));
  const notes = [...new Set(ways.flatMap((way) => way?.note ?? []))];
  const possible = ways.every((way) => way === undefined || way.migrations.length > 0);
  if (ways.every((way) => way === undefined)) return undefined;
  // The Set removes steps that two subcommands share, such as the same proof of NOT NULL.
  return { migrations: possible ? [...new Set(migrations)] : [], ...(notes.length > 0 && { note: notes.join(" ") }) };
}

/**
 * Returns whether REFRESH … CONCURRENTLY is possible. It needs a unique index on columns, without expressions and
 * without WHERE, to identify rows.
 */
export function refreshesConcurrently(view: Name, schema: Schema): boolean {
  return schema
    .indexesOf(keyOf(view))
    .some(({ unique, partial, columns }) => unique && !partial && !columns.includes("(expression)"));
}

/**
 * Proposes, for a key that replaces a dropped one, to build its index first and then to exchange both in one statement.
 */
function swapKey(
  cmds: readonly AlterTableCmd[],
  commands: readonly string[],
  head: string,
  name: Name,
  facts: Facts,
): SafeWay | undefined {
  const at = cmds.findIndex(
    ({ def }) =>
      def &&
      "Constraint" in def &&
      /PRIMARY|UNIQUE/.test(def.Constraint.contype ?? "") &&
      def.Constraint.indexname === undefined,
  );
  const def = cmds[at]?.def;
  if (!def || !("Constraint" in def) || !cmds.some(({ subtype }) => subtype === "AT_DropConstraint")) return undefined;
  const constraint = constraintOf(def.Constraint, name.name, facts.schema);
  if (!constraint) return undefined;
  const primary = constraint.kind === "primary";
  const table = facts.table(name);
  const nullable = primary ? constraint.columns.filter((column) => !table?.columns.get(column)?.notNull) : [];
  const built = identifier(newName(constraint.name, "new"));
  const columns = constraint.columns.map((column) => identifier(column)).join(", ");
  const added = `ADD CONSTRAINT ${identifier(constraint.name)} ${primary ? "PRIMARY KEY" : "UNIQUE"} USING INDEX ${built}`;
  return {
    migrations: [
      ...nullable.flatMap((column) => notNullSteps(name, column, false)),
      `CREATE UNIQUE INDEX CONCURRENTLY ${built} ON ${nameText(name)} (${columns});`,
      `${head} ${commands.map((command, index) => (index === at ? added : command)).join(", ")};`,
    ],
    note: "The index takes the constraint's name.",
  };
}

/** Returns the safe way of one subcommand, or undefined if there is no safer one. */
function commandWay(cmd: AlterTableCmd, text: string, head: string, name: Name, facts: Facts): SafeWay | undefined {
  const table = facts.table(name);
  switch (cmd.subtype) {
    case "AT_AddColumn": {
      if (!cmd.def || !("ColumnDef" in cmd.def)) return undefined;
      const defined = defineColumn(cmd.def.ColumnDef, name.name, facts.schema);
      if (defined.fills !== undefined) return fillLater(text, cmd.def.ColumnDef, defined, name, facts.schema);
      return splitConstraints(text, defined, name);
    }
    case "AT_AlterColumnType": {
      if (!cmd.def || !("ColumnDef" in cmd.def)) return undefined;
      const exchange = facts.prepared.exchanges.get(columnType(cmd.def.ColumnDef.typeName)?.name ?? "");
      if (exchange) return exchangeWay(exchange);
      const { type, using } = typeTexts(text);
      const column = cmd.name ?? "";
      const value = (row: string) =>
        using === undefined ? `${row}${identifier(column)}::${type}` : prefixed(using, column, row);
      return changeType(name, column, type, value, table, facts.schema);
    }
    case "AT_SetNotNull":
      return { migrations: notNullSteps(name, cmd.name ?? "", false) };
    case "AT_AddConstraint":
      return cmd.def && "Constraint" in cmd.def
        ? constraintWay(cmd.def.Constraint, text, head, name, facts)
        : undefined;
    case "AT_SetLogged":
    case "AT_SetUnLogged":
    case "AT_SetTableSpace":
    case "AT_SetAccessMethod":
    case "AT_SetExpression":
      return {
        migrations: [],
        note: "No SQL does it without the lock: use a maintenance window, or fill a second table and swap the two.",
      };
    default:
      return undefined;
  }
}

/** Proposes to add the values to the enum in place. */
function exchangeWay({ type, added, removed }: EnumExchange): SafeWay {
  const migrations = added.map((value) => `ALTER TYPE ${identifier(type)} ADD VALUE ${literal(value)};`);
  if (removed.length === 0) return { migrations };
  return {
    migrations,
    note: "Leave unused values in the type: removing them rewrites every row.",
  };
}

/** Proposes, for ADD COLUMN with constraints, to add the column first and then each constraint in its own steps. */
function splitConstraints(text: string, defined: ReturnType<typeof defineColumn>, name: Name): SafeWay | undefined {
  if (defined.constraints.length === 0) return undefined;
  const c = identifier(defined.column.name);
  const { type, default: value } = columnTexts(text);
  const filled = value === undefined ? "" : ` DEFAULT ${value}`;
  const migrations = [
    alter(
      name,
      `ADD COLUMN ${c} ${type}${filled}${defined.column.notNull && defined.column.filled ? " NOT NULL" : ""}`,
    ),
  ];
  for (const { kind, name: constraint } of defined.constraints) {
    const i = identifier(constraint);
    const tokens = tokensOf(text);
    if (kind === "unique" || kind === "primary")
      migrations.push(...uniqueSteps(name, constraint, [defined.column.name], kind === "primary", false));
    else {
      const word = kind === "check" ? "CHECK" : "REFERENCES";
      const from = tokens.findIndex(({ upper }) => upper === word);
      let to = from + 1;
      for (let depth = 0; to < tokens.length; to++) {
        if (tokens[to]!.text === "(") depth++;
        if (tokens[to]!.text === ")" && --depth === 0) break;
      }
      const rule = text.slice(tokens[from]?.start ?? 0, tokens[to]?.end ?? text.length);
      migrations.push(
        alter(name, `ADD CONSTRAINT ${i} ${kind === "foreign" ? `FOREIGN KEY (${c}) ` : ""}${rule} NOT VALID`),
        alter(name, `VALIDATE CONSTRAINT ${i}`),
      );
    }
  }
  return { migrations };
}

function constraintWay(node: Constraint, text: string, head: string, name: Name, facts: Facts): SafeWay | undefined {
  const constraint = constraintOf(node, name.name, facts.schema);
  if (!constraint) return undefined;
  const i = identifier(constraint.name);
  if (node.contype === "CONSTR_EXCLUSION")
    return {
      migrations: [],
      note: "An exclusion constraint can't be built while rows are written: use a maintenance window.",
    };
  if (node.contype === "CONSTR_PRIMARY" || node.contype === "CONSTR_UNIQUE") {
    const primary = node.contype === "CONSTR_PRIMARY";
    const columns = node.indexname === undefined ? partsOf(node.keys) : constraint.columns;
    const table = facts.table(name);
    const nullable = primary ? columns.filter((column) => !table?.columns.get(column)?.notNull) : [];
    // A primary key requires NOT NULL. If that is proven beforehand, Postgres doesn't scan the table for it under the
    // lock.
    const proofs = nullable.flatMap((column) => notNullSteps(name, column, false));
    if (node.indexname !== undefined)
      return proofs.length > 0 ? { migrations: [...proofs, `${head} ${text};`] } : undefined;
    return {
      migrations: [...proofs, ...uniqueSteps(name, constraint.name, columns, primary, false)],
      note: "The index can't be built in a transaction, so each step is a migration of its own.",
    };
  }
  if (node.skip_validation) return undefined;
  if (node.contype === "CONSTR_FOREIGN" && facts.table(name)?.partitioned) {
    const partitions = facts.schema.descendants(keyOf(name)).filter(({ partitioned }) => !partitioned);
    const rule = text.replace(/^ADD\s+(CONSTRAINT\s+("(?:[^"]|"")*"|\S+)\s+)?/i, `ADD CONSTRAINT ${i} `);
    return {
      migrations: [
        ...partitions.flatMap((each) => [
          alter(each.name, `${rule} NOT VALID`),
          alter(each.name, `VALIDATE CONSTRAINT ${i}`),
        ]),
        `${head} ${rule};`,
      ],
      note: "Postgres before 18 refuses NOT VALID on the partitioned table itself; the keys of its partitions become parts of the table's.",
    };
  }
  const named = node.conname === undefined ? text.replace(/^ADD\s+/i, `ADD CONSTRAINT ${i} `) : text;
  return { migrations: [`${head} ${named} NOT VALID;`, `${head} VALIDATE CONSTRAINT ${i};`] };
}

/** Returns the type and the expression of `ALTER COLUMN a TYPE … USING …`. */
function typeTexts(command: string): { type: string; using?: string } {
  const tokens = tokensOf(command);
  const at = tokens.findIndex(({ upper }) => upper === "TYPE") + 1;
  const using = tokens.findIndex(({ upper }, index) => index > at && upper === "USING");
  const type = command.slice(tokens[at]?.start ?? 0, tokens[(using < 0 ? tokens.length : using) - 1]?.end);
  return using < 0 ? { type } : { type, using: command.slice(tokens[using + 1]?.start ?? 0) };
}

/** Rewrites an expression so that it takes the column from a trigger's row. */
function prefixed(expression: string, column: string, row: string): string {
  let result = "";
  let at = 0;
  const tokens = tokensOf(expression);
  for (const [index, { text, start, end }] of tokens.entries()) {
    const name = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
    if (name !== column) continue;
    // The table's name in `author.nick` is replaced too.
    const from = tokens[index - 1]?.text === "." ? (tokens[index - 2]?.start ?? start) : start;
    result += `${expression.slice(at, from)}${row}${identifier(column)}`;
    at = end;
  }
  return result + expression.slice(at);
}
