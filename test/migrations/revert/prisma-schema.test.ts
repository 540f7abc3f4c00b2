import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { planRevert } from "../../../migrations/revert/plan-revert";
import { prismaChanges } from "../../../migrations/revert/prisma-schema";
import { loadParser } from "../../../migrations/sql/parse";

beforeAll(loadParser);

const SCHEMA = `enum Mood {
  ok
  @@map("mood")
}

model Note {
  id     Int    @id @default(autoincrement())
  title  String @default("none") @map("heading")
  mood   Mood?
  // tagId Int
  tagId  Int?
  tag    Tag?   @relation(fields: [tagId], references: [id])
  slug   String @unique

  @@index([title, mood])
  @@index([mood(sort: Desc)], map: "by_mood")
  @@map("notes")
}

model Tag {
  id    Int    @id
  notes Note[]
  @@schema("other")
}
`;

const BASE = `CREATE TABLE notes (id serial PRIMARY KEY, heading text NOT NULL, slug text); CREATE SCHEMA other;`;

/** The lines of the schema that a migration's revert changes, and what was not found. */
function changes(sql: string): string[] {
  const history = Object.entries({ "1_a": BASE, "2_b": sql }).map(([name, text]) => ({
    name,
    sql: text,
    checksum: checksumOf(text),
  }));
  const { steps } = planRevert(history, "2_b", { now: new Date(), mayWait: true });
  const { lines, others } = prismaChanges(steps, [{ path: "schema.prisma", text: SCHEMA }]);
  return [...lines.map(({ line, change, name }) => `${line} ${change} ${name}`), ...others.map((each) => `? ${each}`)];
}

describe("schema.prisma has to be changed back:", () => {
  test.each<[sql: string, ...changes: string[]]>([
    ['ALTER TABLE notes ADD COLUMN "tagId" int', "11 remove Note.tagId", "12 remove Note.tag"],
    ["ALTER TABLE notes ALTER heading SET DEFAULT 'none'", "8 change back Note.title"],
    ["ALTER TABLE notes ALTER heading DROP NOT NULL", "8 change back Note.title"],
    ['CREATE TABLE other."Tag" (id int PRIMARY KEY)', "12 remove Note.tag", "20 remove Tag"],
    ["CREATE TYPE mood AS ENUM ('ok')", "1 remove Mood", "9 remove Note.mood"],
    ["CREATE INDEX by_mood ON notes (id)", "16 remove Note"],
    [
      "ALTER TABLE notes ADD COLUMN mood int; CREATE INDEX notes_heading_mood_idx ON notes (heading, mood)",
      "9 remove Note.mood",
    ],
    ["CREATE UNIQUE INDEX notes_slug_key ON notes (slug)", "13 remove Note.slug"],
    ["ALTER TABLE notes RENAME COLUMN slug TO heading2", "? column notes.heading2"],
    ["ALTER TABLE notes ADD COLUMN odd int", "? column notes.odd"],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
  ])("%s", (sql, ...expected) => {
    expect(changes(sql)).toEqual(expected);
  });
});
