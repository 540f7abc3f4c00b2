import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { prismaMigrate } from "../../support/prisma";
import { postgresAndPrisma } from "../../support/prisma-server";
import { type Ended, historyOf, migrate, query, scratch, writeMigration } from "../support";

const postgres = postgresAndPrisma();

function prisma(url: string, directory: string, verb: "status" | "deploy"): Promise<Ended> {
  const { args, env } = prismaMigrate(verb, url, directory, scratch);
  const child = spawn(process.execPath, args, { cwd: scratch, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const collect = (text: Buffer) => {
    output += text;
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return new Promise((resolve) => child.on("close", (exit) => resolve({ exit, output })));
}

const plain = {
  "20240101000000_init": 'CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL);\n',
  "20240102000000_index": '-- CreateIndex\nCREATE UNIQUE INDEX "User_email_key" ON "User"("email");\n',
};

/** Histories of three kinds, with everything a file can hold; Prisma's JavaScript engine only has to read their state. */
const histories: Record<string, Record<string, string>> = {
  "a shop, with Windows line ends and a byte order mark": {
    "20240101000000_init": "\ufeffCREATE TABLE a (id int);\r\nCREATE TABLE b (\r\n  id int\r\n);\r\n",
    "20240102000000_comments_only": "-- nothing to do here;\r\n/* nor /* here */; */\r\n",
    "20240103000000_empty": "",
    "20240104000000_rows": "INSERT INTO a VALUES (1);\r\nINSERT INTO b VALUES (2);",
  },
  "a ledger, with functions, dollar quotes and non-ASCII names": {
    "20240101000000_größe": `CREATE TABLE "größe €" ("spalte ""x""" text DEFAULT 'a;b''c', 数 int);
CREATE FUNCTION "größe €"() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN NEW.数 := 1; -- ; $$
RETURN NEW; END; $body$;
CREATE TRIGGER t BEFORE INSERT ON "größe €" FOR EACH ROW EXECUTE FUNCTION "größe €"();
CREATE FUNCTION two() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;`,
    "20240102000000_do": "DO $$ BEGIN IF true THEN CREATE TABLE made (id int); END IF; END $$;",
  },
  "a blog in a schema of its own, with an index built CONCURRENTLY": {
    ...plain,
    "20240103000000_concurrently": 'CREATE INDEX CONCURRENTLY "User_id_email" ON "User"("id", "email");',
    "20240104000000_enum": "CREATE TYPE role AS ENUM ('A');\nALTER TYPE role ADD VALUE 'B';",
  },
};

describe("a history deployed by us is up to date for the Prisma CLI", () => {
  test.each(Object.entries(histories))("%s", async (name, migrations) => {
    const url = `${await postgres.createDatabase()}${name.includes("schema") ? "?schema=blog" : ""}`;
    const directory = historyOf(migrations);
    expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
    expect(await prisma(url, directory, "status")).toMatchObject({
      exit: 0,
      output: expect.stringContaining("Database schema is up to date"),
    });
  });
});

test("a history begun by the Prisma CLI is finished by us, and then up to date for both", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf(plain);
  expect(await prisma(url, directory, "deploy")).toMatchObject({ exit: 0 });
  const [first] = await query(url, "SELECT * FROM _prisma_migrations ORDER BY started_at LIMIT 1");
  writeMigration(directory, "20240103000000_more", 'ALTER TABLE "User" ADD COLUMN "name" TEXT;');
  expect(await migrate(url, directory)).toMatchObject({
    exit: 0,
    output: expect.stringContaining("1 of 3 migrations are pending"),
  });
  expect(await prisma(url, directory, "status")).toMatchObject({
    exit: 0,
    output: expect.stringContaining("up to date"),
  });
  const rows = await query(url, "SELECT * FROM _prisma_migrations ORDER BY started_at");
  expect(rows).toHaveLength(3);
  // Prisma's own rows stay as they are; ours have the same columns filled in the same way.
  expect(rows[0]).toEqual(first);
  const shape = (row: Record<string, unknown>) =>
    Object.entries(row).map(([key, value]) => [key, value === null ? "null" : typeof value]);
  expect(shape(rows[2]!)).toEqual(shape(rows[1]!));
  expect(rows[2]).toMatchObject({ applied_steps_count: rows[1]!["applied_steps_count"] });
});

test("a history begun by us, with a hotfix that was only recorded, is finished by the Prisma CLI", async () => {
  const url = `${await postgres.createDatabase()}?schema=blog`;
  const directory = historyOf(plain);
  expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
  await query(url, 'CREATE INDEX "User_id" ON blog."User"("id")');
  const hotfix = '-- release: hotfix\r\nCREATE INDEX CONCURRENTLY "User_id" ON "User"("id");\r\n';
  writeMigration(directory, "20240103000000_by_hand", hotfix);
  const { exit, output } = await migrate(url, directory);
  expect(exit, output).toBe(0);
  expect(output).toContain('there is index blog."User_id"');
  writeMigration(directory, "20240104000000_more", 'ALTER TABLE "User" ADD COLUMN "name" TEXT;');
  expect(await prisma(url, directory, "deploy")).toMatchObject({ exit: 0 });
  expect((await migrate(url, directory, "status")).exit).toBe(0);
});

test("a migration that failed under the Prisma CLI is diagnosed statement by statement, resolved and applied", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({
    ...plain,
    "20240103000000_half": 'ALTER TABLE "User" ADD COLUMN "a" INT;\nALTER TABLE "User" ADD COLUMN "email" INT;',
  });
  expect((await prisma(url, directory, "deploy")).exit).toBe(1);
  expect(await migrate(url, directory)).toMatchObject({
    exit: 4,
    output: expect.stringContaining("resolve --diagnose 20240103000000_half"),
  });
  const { output } = await migrate(url, directory, "resolve", "--diagnose", "20240103000000_half");
  // The JavaScript engine is not atomic: the first statement stayed. The column of the second is there for another reason.
  expect(output).toMatch(/line 1: applied {5}ALTER TABLE "User" ADD COLUMN "a"/);
  await query(url, 'ALTER TABLE "User" DROP COLUMN "a"');
  writeMigration(directory, "20240103000000_half", 'ALTER TABLE "User" ADD COLUMN "a" INT;');
  expect(await migrate(url, directory, "resolve", "--rolled-back", "20240103000000_half")).toMatchObject({ exit: 0 });
  expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
  expect(await prisma(url, directory, "status")).toMatchObject({ exit: 0 });
});

test("a history for another kind of database is refused before anything is connected to", async () => {
  const directory = historyOf({ "20240101000000_a": "CREATE TABLE a (id int);" }, "mysql");
  const { exit, output } = await migrate("postgresql://nobody@127.0.0.1:1/none", directory);
  expect({ exit, output }).toMatchObject({ exit: 2, output: expect.stringContaining('is of provider "mysql"') });
});
