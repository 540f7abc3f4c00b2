import type { Column, Table } from "../../migrations/schema/objects";
import type { Schema } from "../../migrations/schema/schema";
import { identifier, keyOf, type Name, nameText } from "../../migrations/sql/identifier";
import type { SafeWay } from "../finding";
import { alter, batched, contractMark, newName, notNullSteps } from "./words";

/**
 * Proposes to change a column's type by a second column, which a trigger keeps equal until the rollout is complete.
 *
 * @param value A function that writes the new column's value as an expression of the old one; `row` is "" or "NEW.".
 */
export function changeType(
  name: Name,
  column: string,
  type: string,
  value: (row: string) => string,
  table: Table | undefined,
  schema: Schema,
): SafeWay {
  const fresh = newName(column, "new");
  const [c, n] = [identifier(column), identifier(fresh)];
  const sync = identifier(newName(name.name, column, "sync"));
  const before = table?.columns.get(column);
  const migrations = [
    [
      alter(name, `ADD COLUMN ${n} ${type}`),
      triggerFunction(sync, [`  NEW.${n} := ${value("NEW.")};`]),
      trigger(sync, name),
    ].join("\n"),
    batched(`UPDATE ${nameText(name)} SET ${n} = ${value("")} WHERE ${n} IS NULL AND ${c} IS NOT NULL;`, name, schema),
    ...(before?.notNull ? notNullSteps(name, fresh, false) : []),
    contractMark +
      [
        `DROP TRIGGER ${sync} ON ${nameText(name)};`,
        `DROP FUNCTION ${sync}();`,
        alter(name, `DROP COLUMN ${c}`),
        alter(name, `RENAME COLUMN ${n} TO ${c}`),
      ].join("\n"),
  ];
  return { migrations, note: alsoNeeded(name, before, table, schema, n) };
}

/** Writes a note on what depends on the column and must be made for the new column too. */
function alsoNeeded(
  name: Name,
  column: Column | undefined,
  table: Table | undefined,
  schema: Schema,
  successor: string,
): string {
  const needed = [
    ...(column?.filled ? ["its default"] : []),
    ...schema
      .indexesOf(keyOf(name))
      .filter(({ columns }) => columns.includes(column?.name ?? ""))
      .map((index) => `the index ${identifier(index.name.name)}`),
    ...(table?.constraints ?? [])
      .filter(({ columns, kind }) => columns.includes(column?.name ?? "") && kind !== "unique" && kind !== "primary")
      .map((constraint) => `the constraint ${identifier(constraint.name)}`),
  ];
  const rest = needed.length > 0 ? ` Before the last step, ${successor} also needs: ${needed.join(", ")}.` : "";
  return `The new version of the app keeps the old name until the last step.${rest}`;
}

/** Proposes to rename a column that old pods still use by a second column, which a trigger keeps equal. */
export function renameColumn(
  name: Name,
  from: string,
  to: string,
  type: string | undefined,
  column: Column | undefined,
  schema: Schema,
): SafeWay {
  const prisma = `In Prisma no SQL is needed: rename the field in schema.prisma and keep the column with @map(${JSON.stringify(from)}).`;
  if (type === undefined) return { migrations: [], note: prisma };
  const [a, b] = [identifier(from), identifier(to)];
  const sync = identifier(newName(name.name, from, "sync"));
  const migrations = [
    [
      alter(name, `ADD COLUMN ${b} ${type}`),
      triggerFunction(sync, [
        "  IF TG_OP = 'INSERT' THEN",
        `    NEW.${b} := coalesce(NEW.${b}, NEW.${a});`,
        `    NEW.${a} := coalesce(NEW.${a}, NEW.${b});`,
        `  ELSIF NEW.${b} IS DISTINCT FROM OLD.${b} THEN NEW.${a} := NEW.${b};`,
        `  ELSE NEW.${b} := NEW.${a};`,
        "  END IF;",
      ]),
      trigger(sync, name),
    ].join("\n"),
    batched(`UPDATE ${nameText(name)} SET ${b} = ${a} WHERE ${b} IS NULL AND ${a} IS NOT NULL;`, name, schema),
    ...(column?.notNull ? notNullSteps(name, to, false) : []),
    contractMark +
      [`DROP TRIGGER ${sync} ON ${nameText(name)};`, `DROP FUNCTION ${sync}();`, alter(name, `DROP COLUMN ${a}`)].join(
        "\n",
      ),
  ];
  const needed = column?.filled ? ` ${b} also needs the default of ${a}.` : "";
  return { migrations, note: `${prisma}${needed}` };
}

/** Proposes to rename a table and to make a view under the old name for the pods that still use it. */
export function renameTable(name: Name, to: string): SafeWay {
  const view = nameText(name);
  const renamed = nameText({ ...name, name: to });
  return {
    migrations: [
      [alter(name, `RENAME TO ${identifier(to)}`), `CREATE VIEW ${view} AS SELECT * FROM ${renamed};`].join("\n"),
      `${contractMark}DROP VIEW ${view};`,
    ],
    note: `Reads and writes of such a view reach the table. In Prisma no SQL is needed: keep the table's name with @@map(${JSON.stringify(name.name)}).`,
  };
}

function triggerFunction(name: string, lines: readonly string[]): string {
  return [
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$`,
    "BEGIN",
    ...lines,
    "  RETURN NEW;",
    "END $$;",
  ].join("\n");
}

function trigger(name: string, table: Name): string {
  return `CREATE TRIGGER ${name} BEFORE INSERT OR UPDATE ON ${nameText(table)} FOR EACH ROW EXECUTE FUNCTION ${name}();`;
}
