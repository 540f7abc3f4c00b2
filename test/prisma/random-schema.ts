/** A column as Prisma's language and as SQL write it. */
interface Kind {
  readonly prisma: string;
  readonly sql: string;
  readonly defaults: readonly (readonly [string, string])[];
}

/** Types, each with defaults in both languages. */
const kinds: readonly Kind[] = [
  {
    prisma: "String",
    sql: "TEXT",
    defaults: [
      ['@default("a\'b")', "DEFAULT 'a''b'"],
      ["@default(cuid())", ""],
    ],
  },
  { prisma: "String @db.VarChar(30)", sql: "VARCHAR(30)", defaults: [['@default("")', "DEFAULT ''"]] },
  {
    prisma: "String @db.Uuid",
    sql: "UUID",
    defaults: [['@default(dbgenerated("gen_random_uuid()"))', "DEFAULT gen_random_uuid()"]],
  },
  { prisma: "Int", sql: "INTEGER", defaults: [["@default(-3)", "DEFAULT -3"]] },
  { prisma: "Int @db.SmallInt", sql: "SMALLINT", defaults: [["@default(0)", "DEFAULT 0"]] },
  { prisma: "BigInt", sql: "BIGINT", defaults: [["@default(12345678901)", "DEFAULT 12345678901"]] },
  { prisma: "Float", sql: "DOUBLE PRECISION", defaults: [["@default(1.5)", "DEFAULT 1.5"]] },
  { prisma: "Decimal", sql: "DECIMAL(65,30)", defaults: [["@default(2)", "DEFAULT 2"]] },
  { prisma: "Boolean", sql: "BOOLEAN", defaults: [["@default(false)", "DEFAULT false"]] },
  {
    prisma: "DateTime",
    sql: "TIMESTAMP(3)",
    defaults: [
      ["@default(now())", "DEFAULT CURRENT_TIMESTAMP"],
      ["@updatedAt", ""],
    ],
  },
  { prisma: "DateTime @db.Timestamptz(6)", sql: "TIMESTAMPTZ(6)", defaults: [] },
  { prisma: "Json", sql: "JSONB", defaults: [['@default("{}")', "DEFAULT '{}'"]] },
  { prisma: "Bytes", sql: "BYTEA", defaults: [] },
  { prisma: "Mood", sql: '"Mood"', defaults: [["@default(sad)", "DEFAULT 'sad'"]] },
];

/** A column of a random table. */
export interface RandomColumn {
  readonly name: string;
  /** The name in the database. */
  readonly column: string;
  readonly kind: number;
  readonly optional: boolean;
  /** The index of its default; none if it is too large. */
  readonly default: number;
  readonly unique: boolean;
  readonly indexed: boolean;
}

/** A random table with a key of integers. */
export interface RandomTable {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly RandomColumn[];
  /** The index of the table that it references. Default: it references none. */
  readonly references?: number | undefined;
}

/** Makes random tables. */
export function randomTables(random: () => number): RandomTable[] {
  const below = (limit: number) => Math.floor(random() * limit);
  const maybe = (share: number) => random() < share;
  return Array.from({ length: 1 + below(4) }, (_, at) => ({
    name: `Model${at}`,
    table: maybe(0.5) ? `Model${at}` : `table_${at}_${"x".repeat(below(40))}`,
    ...(maybe(0.5) && { references: below(at + 1) }),
    columns: Array.from({ length: 1 + below(5) }, (_, number) => ({
      name: `field${number}`,
      column: maybe(0.6) ? `field${number}` : `col_${number}_${"y".repeat(below(40))}`,
      kind: below(kinds.length),
      optional: maybe(0.4),
      default: below(3),
      unique: maybe(0.2),
      indexed: maybe(0.2),
    })),
  }));
}

const named = (name: string, database: string, at: "@" | "@@") => (name === database ? "" : ` ${at}map("${database}")`);

/** Writes the tables in Prisma's language. */
export function prismaOf(tables: readonly RandomTable[]): string {
  const models = tables.map(({ name, table, columns, references }, at) => {
    const fields = columns.map((each) => {
      const [type = "", ...native] = kinds[each.kind]!.prisma.split(" ");
      const value = kinds[each.kind]!.defaults[each.default]?.[0] ?? "";
      const rest = [...native, value, each.unique ? "@unique" : ""].join(" ");
      return `  ${each.name} ${type}${each.optional ? "?" : ""} ${rest}${named(each.name, each.column, "@")} // ${each.kind}`;
    });
    const target = references === undefined ? undefined : tables[references]!;
    const relation = target
      ? [`  toId Int?`, `  to ${target.name}? @relation("r${at}", fields: [toId], references: [id])`]
      : [];
    const back = tables.flatMap((each, index) =>
      each.references === at ? [`  from${index} ${each.name}[] @relation("r${index}")`] : [],
    );
    const indexes = columns.filter(({ indexed }) => indexed).map((each) => `  @@index([${each.name}, id(sort: Desc)])`);
    const lines = ["  id Int @id @default(autoincrement())", ...fields, ...relation, ...back, ...indexes];
    return `model ${name} {\n${lines.join("\n")}\n ${named(name, table, "@@")}\n}`;
  });
  return [...models, "enum Mood {\n  ok\n  sad\n}\n"].join("\n\n");
}

/** Cuts a name as Prisma does, so that its suffix stays whole. */
const cut = (name: string, suffix: string) => `${name.slice(0, 63 - suffix.length)}${suffix}`;

/** Writes the tables as SQL, as Prisma's migrations do. */
export function sqlOf(tables: readonly RandomTable[]): string {
  const create = tables.map(({ table, columns, references }) => {
    const parts = columns.map((each) => {
      const value = kinds[each.kind]!.defaults[each.default]?.[1] ?? "";
      return `  "${each.column}" ${kinds[each.kind]!.sql}${each.optional ? "" : " NOT NULL"} ${value}`;
    });
    const all = [
      '  "id" SERIAL NOT NULL',
      ...parts,
      ...(references === undefined ? [] : ['  "toId" INTEGER']),
      `  CONSTRAINT "${cut(table, "_pkey")}" PRIMARY KEY ("id")`,
    ];
    return `CREATE TABLE "${table}" (\n${all.join(",\n")}\n);`;
  });
  const indexes = tables.flatMap(({ table, columns }) =>
    columns.flatMap(({ column, unique, indexed }) => [
      ...(unique ? [`CREATE UNIQUE INDEX "${cut(`${table}_${column}`, "_key")}" ON "${table}"("${column}");`] : []),
      ...(indexed
        ? [`CREATE INDEX "${cut(`${table}_${column}_id`, "_idx")}" ON "${table}"("${column}", "id" DESC);`]
        : []),
    ]),
  );
  const keys = tables.flatMap(({ table, references }) =>
    references === undefined
      ? []
      : [
          `ALTER TABLE "${table}" ADD CONSTRAINT "${cut(`${table}_toId`, "_fkey")}" FOREIGN KEY ("toId") REFERENCES "${tables[references]!.table}"("id") ON DELETE SET NULL ON UPDATE CASCADE;`,
        ],
  );
  return [`CREATE TYPE "Mood" AS ENUM ('ok', 'sad');`, ...create, ...indexes, ...keys].join("\n");
}
