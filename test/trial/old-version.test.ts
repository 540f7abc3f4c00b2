import { expect, test } from "vitest";
import { runTrial } from "../../trial/run-trial";
import { historyOf, NOTES } from "./histories";

const schema = `
  datasource db {
    provider = "postgresql"
  }
  model User {
    id    Int     @id
    email String?
    @@map("users")
  }
  model Note {
    id     Int     @id
    userId Int?    @map("user_id")
    title  String?
    @@map("notes")
  }`;

async function broken(...pending: string[]) {
  const baseSchema = [{ path: "schema.prisma", text: schema }];
  const history = historyOf(NOTES, ...pending);
  const { findings } = await runTrial({ history, applied: new Set([history[0]!.name]), baseSchema });
  return findings.map(({ id, what }) => `${id}: ${what.split("migrations ")[1]}`);
}

const hidden = (sql: string) => `DO $$ BEGIN EXECUTE '${sql}'; END $$;`;

test.concurrent("what the old version uses and no text shows to be gone is found", async () => {
  const sql = [
    hidden("ALTER TABLE notes DROP COLUMN title"),
    hidden("ALTER TABLE notes ALTER COLUMN user_id TYPE text"),
    hidden("DROP TABLE users"),
    hidden("ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL"),
  ];
  expect(await broken(sql.join("\n"))).toEqual([
    "old-version-broken users: the table is gone.",
    "old-version-broken notes.user_id: its type was integer and is text.",
    "old-version-broken notes.title: the column is gone.",
    "old-version-broken notes.colour: the new column is NOT NULL without a default, so INSERTs of the old version fail.",
  ]);
});

test.concurrent("wider types, new columns with defaults and what waits for the rollout break nothing", async () => {
  const wider = "ALTER TABLE notes ALTER COLUMN user_id TYPE bigint, ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';";
  expect(await broken(wider, "-- release: contract\nALTER TABLE notes DROP COLUMN title;")).toEqual([]);
});
