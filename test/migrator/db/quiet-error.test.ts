import { DatabaseError } from "pg";
import { describe, expect, test } from "vitest";
import { quietText } from "../../../migrator/db/prisma-output";
import { type QuietError, quieten } from "../../../migrator/db/quiet-error";
import { serverWith } from "../../support/schema-server";

/** Stands for what a customer typed in. */
const CANARY = "canary@x.example";
const client = serverWith(
  `CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE part (k text) PARTITION BY LIST (k);
    CREATE TABLE u (id int PRIMARY KEY, email text, n int, short varchar(3)); INSERT INTO u VALUES (1, '${CANARY}', 1), (2, '${CANARY}', NULL);
    CREATE TABLE k (id int PRIMARY KEY);
    CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id > 10 THEN
      RAISE EXCEPTION 'no %', NEW.email USING ERRCODE = '23505', DETAIL = 'is ' || NEW.email, HINT = 'not ' || NEW.email; END IF; RETURN NEW; END $$;
    CREATE TRIGGER guard BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION guard()`,
);

async function errorOf(sql: string): Promise<{ raw: string; error: QuietError }> {
  const error = await client.query(sql).then(
    () => new Error(`it succeeded: ${sql}`),
    (reason: Error) => reason,
  );
  await client.query("ROLLBACK");
  if (!(error instanceof DatabaseError)) throw error;
  const raw = JSON.stringify({ ...error, message: error.message });
  quieten(error, sql);
  return { raw, error };
}

describe("an error of Postgres names columns, and no value", () => {
  test.each([
    ["CREATE UNIQUE INDEX i ON u (email)", 'could not create unique index "i"', "Key (email) is duplicated."],
    [
      `CREATE UNIQUE INDEX i ON u ((email || '${CANARY}'))`,
      "could not create unique index",
      "Key ((email || '…'::text))",
    ],
    [`INSERT INTO u VALUES (1, '${CANARY}')`, 'violates unique constraint "u_pkey"', "Key (id) already exists."],
    ["ALTER TABLE u ADD FOREIGN KEY (id) REFERENCES k", "u_id_fkey", 'Key (id) is not present in table "k".'],
    ["ALTER TABLE u ALTER n SET NOT NULL", 'column "n" of relation "u" contains null values', undefined],
    [`ALTER TABLE u ADD CONSTRAINT c CHECK (email <> '${CANARY}')`, 'constraint "c" of relation "u"', undefined],
    [`INSERT INTO u (id, email, n) VALUES (NULL, '${CANARY}', 1)`, 'null value in column "id"', undefined],
    ["ALTER TABLE u ALTER email TYPE int USING email::int", 'type integer: "…"', undefined],
    [`SELECT '${CANARY}'::mood`, 'enum mood: "…"', undefined],
    ["UPDATE u SET short = email", "value too long for type character varying(3)", undefined],
    ["SELECT email::json FROM u", "invalid input syntax for type json", undefined],
    ["SELECT email::text[], (email || '\"{')::int[] FROM u", 'malformed array literal: "…"', undefined],
    ["SELECT email::regclass FROM u", 'schema "…" does not exist', undefined],
    [`SELECT set_config('${CANARY}', '', false)`, 'parameter name "…"', undefined],
    ["INSERT INTO part SELECT email FROM u", "no partition of relation", "Partition key of the failing row: (k)."],
    [`INSERT INTO u VALUES (11, '${CANARY}')`, "raised itself", undefined],
    ["DO $$ BEGIN RAISE EXCEPTION 'bad %', (SELECT email FROM u LIMIT 1); END $$", "raised itself", undefined],
    ["DO $$ BEGIN ASSERT false, (SELECT email FROM u LIMIT 1); END $$", "raised itself", undefined],
    ["DO $$ BEGIN EXECUTE 'SELECT 1 ' || (SELECT email FROM u LIMIT 1); END $$", 'at or near "…"', undefined],
    [
      "DO $$ BEGIN EXECUTE 'SELECT ' || quote_ident(email) || ' FROM k' FROM u LIMIT 1; END $$",
      "does not exist",
      undefined,
    ],
    [`CREATE ROLE r PASSWORD "${CANARY}"`, 'syntax error at or near "…"', undefined],
    [`SELECT 1, 'open ${CANARY}`, 'unterminated quoted string at or near "…"', undefined],
    [`COPY u FROM '/${CANARY}'`, 'could not open file "…"', undefined],
  ])("%s", async (sql, message, detail) => {
    const { error } = await errorOf(sql);
    expect(error.message).toContain(message);
    expect(error.detail ?? "").toContain(detail ?? "");
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain("canary");
  });

  test("what names nothing but objects is shown as it is", async () => {
    for (const sql of ["SELECT nope FROM u", "CREATE TABLE u (id int)", "DROP TABLE public.nope", "SELECT 1 FORM u"]) {
      const { raw, error } = await errorOf(sql);
      expect(JSON.parse(raw).message).toBe(error.message);
      expect(error.withheld, sql).toBe(false);
    }
    const { error } = await errorOf("DROP FUNCTION guard()");
    expect(error.detail).toBe("trigger guard on table u depends on function guard()");
    expect((await errorOf("INSERT INTO u VALUES (12)")).error.where).toMatch(
      /^PL\/pgSQL function guard\(\) line 2 at RAISE$/,
    );
  });
});

test("an error that the Prisma CLI printed or kept is reduced in the same way", () => {
  const text = `Error: P3018\n\nMigration name: 2_b\n\nDatabase error code: 23505\n\nDatabase error:
ERROR: could not create unique index "i"\nDETAIL: Key (email)=(${CANARY}\n${CANARY}) is duplicated.\n
Position:\n 1 UPDATE u SET email = '${CANARY}'\n
DbError { severity: "ERROR", message: "could not create unique index", detail: Some("Key (email)=(${CANARY}) is duplicated.") }`;
  expect(quietText(text)).toEqual([
    "Error: P3018",
    "",
    "Migration name: 2_b",
    "",
    "Database error code: 23505",
    "",
    "Database error:",
    'ERROR: could not create unique index "i"',
    "DETAIL: Key (email).",
    "",
  ]);
  expect(
    quietText(`psql:a.sql:1: ERROR:  bad ${CANARY}\nDETAIL:  ${CANARY}\nLINE 1: ${CANARY}`).join("\n"),
  ).not.toContain("canary");
  expect(quietText(`NOTICE:  ${CANARY}\n2 migrations found\nAll applied`)).toEqual([
    "2 migrations found",
    "All applied",
  ]);
});
