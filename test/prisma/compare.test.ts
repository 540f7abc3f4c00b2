import { beforeAll, describe, expect, test } from "vitest";
import { loadParser } from "../../migrations/sql/parse";
import { comparePrisma } from "../../prisma/compare";
import { parsePrisma } from "../../prisma/parse";
import { compare, differences } from "./difference";

beforeAll(() => loadParser());

const user = `model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  name  String?
}
`;
const table = `CREATE TABLE "User" ("id" SERIAL NOT NULL, "email" TEXT NOT NULL, "name" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
`;

describe("a schema and its history", () => {
  test("agree when the history makes what Prisma would make", () => {
    expect(compare(user, table)).toEqual({ differences: [], uncompared: [] });
  });

  test.each<[string, string, string, string[]]>([
    ["a model without a migration", user, "", ["1: not-in-history table User: a table of 3 columns | no such table"]],
    [
      "a field without a migration",
      user.replace("}", "  age Int @default(18)\n}"),
      table,
      ["5: not-in-history column User.age: integer, NOT NULL, DEFAULT 18 | no such column"],
    ],
    [
      "a column without a field",
      user.replace(/\n {2}name.*/, ""),
      table,
      ["1: not-in-schema column User.name: no such field | text"],
    ],
    [
      "another type, nullability and default at once",
      user.replace(/name .*/, "name Int @default(1)"),
      table,
      ["4: differs column User.name: integer, NOT NULL, DEFAULT 1 | text, may be NULL, no default"],
    ],
    [
      "an index without a migration",
      user.replace("}", "  @@index([name, email(sort: Desc)])\n}"),
      table,
      ["5: not-in-history index User.User_name_email_idx: INDEX (name, email DESC) | no such index"],
    ],
    [
      "an index that isn't unique in the history",
      user,
      table.replace("UNIQUE INDEX", "INDEX"),
      ["3: differs index User.User_email_key: UNIQUE INDEX (email) | INDEX (email)"],
    ],
    [
      "an index of another name",
      user,
      `${table}ALTER INDEX "User_email_key" RENAME TO "User_mail_key";`,
      ["3: named-differently index User.User_email_key: User_email_key | User_mail_key"],
    ],
    [
      "a table without a model",
      user,
      `${table}CREATE TABLE old (id INT PRIMARY KEY); CREATE TABLE _prisma_migrations (id TEXT);`,
      ["-: not-in-schema table old: no such model | a table of 1 columns"],
    ],
    [
      "a sequence that the history doesn't make",
      user,
      table.replace("SERIAL", "INT"),
      ["2: differs column User.id: DEFAULT of a sequence | no default"],
    ],
  ])("differ by %s", (_, schema, sql, expected) => {
    expect(differences(schema, sql)).toEqual(expected);
  });

  test("agree about types, defaults, names and attributes of every kind", () => {
    const schema = `enum Kind {
  one @map("1")
  two
  @@map("kind")
}
model All {
  id       String   @id(map: "all_key") @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  short    String   @default("it's") @db.VarChar(20)
  fixed    String   @default("ab") @db.Char(4)
  big      BigInt   @default(9007199254740993)
  price    Decimal  @default(1.50) @db.Decimal(10, 2)
  ratio    Float    @default(1)
  any      Decimal
  yes      Boolean  @default(true)
  at       DateTime @default(now()) @db.Timestamptz
  day      DateTime? @db.Date
  made     DateTime @default(dbgenerated("timezone('utc'::text, now())"))
  changed  DateTime @updatedAt
  json     Json     @default("{\\"a\\": [1, 2]}")
  bytes    Bytes?
  kind     Kind     @default(one) @map("the_kind")
  kinds    Kind[]   @default([one, two])
  tags     String[] @default([])
  numbers  Int[]
  vector   Unsupported("vector(3)")?
  client   String   @default(cuid())

  @@index([json(ops: JsonbPathOps)], type: Gin, map: "json_gin")
  @@index([short(sort: Desc)])
  @@index(day)
  @@map("everything")
}`;
    const sql = `CREATE TYPE "kind" AS ENUM ('1', 'two');
CREATE TABLE "everything" (
  "id" UUID NOT NULL DEFAULT gen_random_uuid(), "short" VARCHAR(20) NOT NULL DEFAULT 'it''s',
  "fixed" CHAR(4) NOT NULL DEFAULT 'ab', "big" BIGINT NOT NULL DEFAULT 9007199254740993,
  "price" DECIMAL(10,2) NOT NULL DEFAULT 1.5, "ratio" DOUBLE PRECISION NOT NULL DEFAULT 1.0, "any" DECIMAL(65,30) NOT NULL,
  "yes" BOOLEAN NOT NULL DEFAULT 't', "at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(), "day" DATE,
  "made" TIMESTAMP(3) NOT NULL DEFAULT timezone('utc', now()), "changed" TIMESTAMP(3) NOT NULL,
  "json" JSONB NOT NULL DEFAULT '{"a":[1,2]}', "bytes" BYTEA, "the_kind" "kind" NOT NULL DEFAULT '1'::"kind",
  "kinds" "kind"[] DEFAULT ARRAY['1', 'two']::"kind"[], "tags" TEXT[] NOT NULL DEFAULT '{}', "numbers" INTEGER[],
  "vector" vector(3), "client" TEXT NOT NULL, CONSTRAINT "all_key" PRIMARY KEY ("id"));
CREATE INDEX "json_gin" ON "everything" USING GIN ("json" jsonb_path_ops);
CREATE INDEX "everything_short_idx" ON "everything"("short" DESC);
CREATE INDEX "everything_day_idx" ON "everything"("day");`;
    expect(compare(schema, sql)).toEqual({ differences: [], uncompared: [] });
  });

  test("agree about relations with Prisma's default actions, and differ by others", () => {
    const schema = `model A {
  id   Int @id
  bs   B[]
  more B[] @relation("more")
}
model B {
  id     Int  @id
  aId    Int
  a      A    @relation(fields: [aId], references: [id])
  moreId Int?
  more   A?   @relation("more", fields: [moreId], references: [id], onUpdate: NoAction)
}`;
    const tables = `CREATE TABLE "A" (id INT, CONSTRAINT "A_pkey" PRIMARY KEY (id));
CREATE TABLE "B" (id INT, "aId" INT NOT NULL, "moreId" INT, CONSTRAINT "B_pkey" PRIMARY KEY (id));`;
    const keys = `ALTER TABLE "B" ADD CONSTRAINT "B_aId_fkey" FOREIGN KEY ("aId") REFERENCES "A" ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "B" ADD CONSTRAINT "B_moreId_fkey" FOREIGN KEY ("moreId") REFERENCES "A"(id) ON DELETE SET NULL ON UPDATE NO ACTION;`;
    expect(compare(schema, tables, keys)).toEqual({ differences: [], uncompared: [] });
    expect(differences(schema, tables, keys.replace("RESTRICT", "CASCADE"))).toEqual([
      "9: differs foreign key B.B_aId_fkey: ON DELETE RESTRICT, ON UPDATE CASCADE | ON DELETE CASCADE, ON UPDATE CASCADE",
    ]);
    expect(differences(`datasource db {\n  relationMode = "prisma"\n}\n${schema}`, tables)).toEqual([]);
  });

  test("agree about a relation of many to many, as Prisma 5 and Prisma 6 make its table", () => {
    const schema = `model Post {
  id   Int   @id
  tags Tag[]
}
model Tag {
  name  String @id
  posts Post[]
}`;
    const sql = `CREATE TABLE "Post" (id INT, CONSTRAINT "Post_pkey" PRIMARY KEY (id));
CREATE TABLE "Tag" (name TEXT, CONSTRAINT "Tag_pkey" PRIMARY KEY (name));
CREATE TABLE "_PostToTag" ("A" INTEGER NOT NULL, "B" TEXT NOT NULL);
CREATE INDEX "_PostToTag_B_index" ON "_PostToTag"("B");
ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_A_fkey" FOREIGN KEY ("A") REFERENCES "Post"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_B_fkey" FOREIGN KEY ("B") REFERENCES "Tag"("name") ON DELETE CASCADE ON UPDATE CASCADE;`;
    const six = 'ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_AB_pkey" PRIMARY KEY ("A", "B");';
    const five = 'CREATE UNIQUE INDEX "_PostToTag_AB_unique" ON "_PostToTag"("A", "B");';
    expect(compare(schema, sql, six)).toEqual({ differences: [], uncompared: [] });
    expect(compare(schema, sql, five)).toMatchObject({ differences: [], uncompared: [{ what: "key of _PostToTag" }] });
    expect(differences(schema, sql)).toEqual([
      '3: not-in-history index _PostToTag._PostToTag_AB_pkey: PRIMARY KEY ("A", "B") | no such index',
    ]);
  });

  test("agree about a foreign key to a column that was renamed", () => {
    const schema = `model A {
  code Int @id
  bs   B[]
}
model B {
  id Int @id
  a  A   @relation(fields: [id], references: [code])
}`;
    const tables = `CREATE TABLE "A" (id INT, CONSTRAINT "A_pkey" PRIMARY KEY (id)); CREATE TABLE "B" (id INT, CONSTRAINT "B_pkey" PRIMARY KEY (id));
ALTER TABLE "B" ADD CONSTRAINT "B_id_fkey" FOREIGN KEY (id) REFERENCES "A"(id) ON DELETE RESTRICT ON UPDATE CASCADE;`;
    expect(compare(schema, tables, 'ALTER TABLE "A" RENAME COLUMN id TO code;')).toEqual({
      differences: [],
      uncompared: [],
    });
  });

  test("leave the names alone that Postgres chooses and cuts", () => {
    const [name, column] = ["T".repeat(30), "c".repeat(40)];
    const schema = `model ${name} {\n  id Int @id\n  ${column} Int @unique\n}`;
    const sql = `CREATE TABLE "${name}" (id INT PRIMARY KEY, ${column} INT NOT NULL UNIQUE);`;
    expect(differences(schema, sql)).toEqual([]);
  });

  test("differ by an enum's values, whatever their order", () => {
    const schema = "enum E {\n  a\n  b\n}";
    expect(differences(schema, `CREATE TYPE "E" AS ENUM ('b', 'a');`)).toEqual([]);
    expect(differences(schema, `CREATE TYPE "E" AS ENUM ('a', 'c');`)).toEqual([
      "3: not-in-history enum value E.b: a value | no such value",
      "1: not-in-schema enum value E.c: no such value | a value",
    ]);
  });

  test("are compared in the schemas of the datasource only", () => {
    const schema = 'datasource db {\n  schemas = ["auth"]\n}\nmodel U {\n  id Int @id\n  @@schema("auth")\n}';
    const sql = 'CREATE TABLE "auth"."U" (id INT, CONSTRAINT "U_pkey" PRIMARY KEY (id)); CREATE TABLE other (id INT);';
    expect(differences(schema, sql)).toEqual([]);
  });

  test("agree about names that Prisma cuts to 63 bytes, and are named differently if Postgres cuts them", () => {
    const long = "a".repeat(40);
    const schema = `model ${"T".repeat(30)} {\n  id Int @id\n  ${long} Int\n  @@index([${long}])\n}`;
    const made = (name: string) =>
      `CREATE TABLE "${"T".repeat(30)}" (id INT, ${long} INT NOT NULL, CONSTRAINT "${"T".repeat(30)}_pkey" PRIMARY KEY (id)); CREATE INDEX "${name}" ON "${"T".repeat(30)}"(${long});`;
    expect(differences(schema, made(`${"T".repeat(30)}_${"a".repeat(28)}_idx`))).toEqual([]);
    expect(differences(schema, made(`${"T".repeat(30)}_${long}_idx`))).toEqual([
      expect.stringContaining("named-differently index"),
    ]);
  });

  test("follow renames, changes and drops of the history", () => {
    const steps = [
      'CREATE TABLE "Person" ("id" SERIAL NOT NULL, "mail" VARCHAR(10), "gone" INT DEFAULT 1, CONSTRAINT "Person_pkey" PRIMARY KEY ("id"));',
      'CREATE UNIQUE INDEX "Person_mail_key" ON "Person"("mail"); ALTER TABLE "Person" RENAME TO "User";',
      'ALTER TABLE "User" RENAME COLUMN "mail" TO "email"; ALTER INDEX "Person_mail_key" RENAME TO "User_email_key";',
      'ALTER TABLE "User" ALTER COLUMN email TYPE TEXT, ALTER COLUMN email SET NOT NULL, DROP COLUMN gone, ADD COLUMN name TEXT;',
      'ALTER TABLE "User" RENAME CONSTRAINT "Person_pkey" TO "User_pkey";',
    ];
    expect(compare(user, ...steps)).toEqual({ differences: [], uncompared: [] });
  });
});

test("tables that Prisma doesn't migrate are listed, not compared", () => {
  const schema = parsePrisma([{ path: "schema.prisma", text: user }]);
  expect(comparePrisma(schema, [], ["public.User"])).toEqual({
    differences: [],
    uncompared: [{ what: "User", why: "prisma.config.ts names it as external" }],
  });
});

describe("what can't be compared is listed", () => {
  test.each<[string, string, string, string, string]>([
    [
      "a partial index",
      user,
      'CREATE INDEX p ON "User"(name) WHERE name IS NOT NULL;',
      "index p of User",
      "partial index",
    ],
    ["an index on an expression", user, 'CREATE INDEX e ON "User"(lower(name));', "index e of User", "an expression"],
    ["INCLUDE", user, 'CREATE INDEX i ON "User"(name) INCLUDE (email);', "index i of User", "INCLUDE"],
    [
      "a second index like the first",
      user,
      'CREATE UNIQUE INDEX two ON "User"(email);',
      "index two of User",
      "like User_email_key",
    ],
    [
      "a model of a view",
      `${user}model V {\n  id Int @id\n}`,
      'CREATE VIEW "V" AS SELECT id FROM "User";',
      "table V",
      "as a view",
    ],
    ["a view", `${user}view V {\n  id Int\n}`, "", "view V", "Prisma doesn't migrate views"],
    [
      "a generated column",
      user.replace("}", "  low String?\n}"),
      'ALTER TABLE "User" ADD COLUMN low TEXT GENERATED ALWAYS AS (lower(name)) STORED;',
      "default of User.low",
      "generated",
    ],
    [
      "SQL that is made at run time",
      user,
      `DO $$ BEGIN EXECUTE 'ALTER TABLE "User" ' || 'DROP COLUMN name'; ALTER TABLE "User" ADD COLUMN x INT; END $$;\nALTER TABLE "User" DROP COLUMN name;`,
      "column User.name, which the history doesn't make",
      "2_migration, line 1: it runs SQL that is made at run time",
    ],
    [
      "statements that a DO block may skip",
      user,
      `DO $$ BEGIN IF EXISTS (SELECT 1) THEN ALTER TABLE "User" DROP COLUMN name; END IF; END $$;`,
      "column User.name, which the history doesn't make",
      "may be skipped",
    ],
    [
      "what goes with a dropped key",
      user.replace("}", "  bs B[]\n}\nmodel B {\n  id Int @id\n  u User @relation(fields: [id], references: [id])\n}"),
      `CREATE TABLE "B" (id INT, CONSTRAINT "B_pkey" PRIMARY KEY (id), CONSTRAINT k FOREIGN KEY (id) REFERENCES "User"(id) ON DELETE RESTRICT ON UPDATE CASCADE);
ALTER TABLE "User" DROP CONSTRAINT "User_pkey" CASCADE; ALTER TABLE "User" ADD CONSTRAINT "User_pkey" PRIMARY KEY (id);`,
      "foreign key B.B_id_fkey, which the history names otherwise",
      "what depends on the dropped object",
    ],
    [
      "what goes with a dropped type",
      user,
      `CREATE TYPE t AS ENUM ('a'); ALTER TABLE "User" ALTER COLUMN name SET DEFAULT 'a'; DROP TYPE t CASCADE;`,
      "column User.name, which the history makes otherwise",
      "what depends on the dropped object",
    ],
    [
      "a file that isn't SQL",
      user,
      'ALTER TABLE "User" DROP COLUMN name; CREATE TABEL x;',
      "what some statements do to tables",
      "valid SQL",
    ],
  ])("%s", (_, schema, sql, what, why) => {
    const { differences: found, uncompared } = compare(schema, table, sql);
    expect(found).toEqual([]);
    expect(uncompared).toContainEqual(expect.objectContaining({ what, why: expect.stringContaining(why) }));
    expect(uncompared.filter((each) => each.what !== what && !each.what.startsWith("what some"))).toEqual([]);
  });
});
