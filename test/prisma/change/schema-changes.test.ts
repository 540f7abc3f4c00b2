import { beforeAll, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { loadParser } from "../../../migrations/sql/parse";
import { type SchemaChanges, schemaChanges } from "../../../prisma/change/schema-changes";
import { compare } from "../difference";

beforeAll(() => loadParser());

const SCHEMA = `datasource db {
  provider = "postgresql"
}

enum State {
  open
  done @map("is-done")
}

model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  name  String? // What the user is called.
  notes Note[]
}

model Note {
  id      String   @id @default(uuid()) @db.Uuid
  title   String   @db.VarChar(100)
  rank    Int      @default(1)
  state   State    @default(open)
  at      DateTime @default(now())
  userId  Int?     @map("user_id")
  user    User?    @relation(fields: [userId], references: [id])

  @@index([title, at(sort: Desc)])
  @@map("note")
}
`;

const HISTORY = `CREATE TYPE "State" AS ENUM ('open', 'is-done');
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL, name text);
CREATE UNIQUE INDEX "User_email_key" ON "User" (email);
CREATE TABLE note (id uuid PRIMARY KEY, title varchar(100) NOT NULL, rank int NOT NULL DEFAULT 1, state "State" NOT NULL DEFAULT 'open',
  at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, user_id int,
  CONSTRAINT note_user_id_fkey FOREIGN KEY (user_id) REFERENCES "User" (id) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE INDEX note_title_at_idx ON note (title, at DESC);
`;

const migration = (sql: string, at: number) => ({ name: `${at}_migration`, sql, checksum: checksumOf(sql) });

function changesOf(sql: string): SchemaChanges {
  const found = schemaChanges([{ path: "schema.prisma", text: SCHEMA }], [migration(HISTORY, 1)], [migration(sql, 2)]);
  if ("unread" in found) throw new Error(found.unread);
  return found;
}

/** Does with the schema what the lines say. */
function changed({ lines }: SchemaChanges): string {
  return SCHEMA.split("\n")
    .flatMap((text, index) => {
      const here = lines.filter(({ line }) => line === index + 1);
      const added = here.filter(({ change }) => change === "add below").map((each) => each.text);
      if (here.some(({ change }) => change === "remove")) return added;
      return [here.find(({ change }) => change === "change to")?.text ?? text, ...added];
    })
    .join("\n");
}

const CASES: readonly [what: string, sql: string, lines: readonly string[]][] = [
  [
    "an index",
    `CREATE INDEX user_name_idx ON "User" (name DESC); CREATE INDEX "User_email_idx" ON "User" USING hash (email)`,
    ['14 add below: @@index([name(sort: Desc)], map: "user_name_idx")', "14 add below: @@index([email], type: Hash)"],
  ],
  ["a dropped index", "DROP INDEX note_title_at_idx", ["26 remove: @@index([title, at(sort: Desc)])"]],
  ["a dropped unique index", 'DROP INDEX "User_email_key"', ["12 change to: email String"]],
  [
    "a renamed index",
    'ALTER INDEX "User_email_key" RENAME TO "user email"; ALTER INDEX note_title_at_idx RENAME TO by_title',
    [
      '12 change to: email String  @unique(map: "user email")',
      '26 change to: @@index([title, at(sort: Desc)], map: "by_title")',
    ],
  ],
  [
    "an index that became another one",
    'DROP INDEX "User_email_key"; CREATE INDEX "User_email_key" ON "User" (email, name); DROP INDEX note_title_at_idx; CREATE INDEX note_title_at_idx ON note (at)',
    [
      "12 change to: email String",
      '14 add below: @@index([email, name], map: "User_email_key")',
      '26 change to: @@index([at], map: "note_title_at_idx")',
    ],
  ],
  [
    "columns",
    `ALTER TABLE note ADD a timestamptz(3) NOT NULL DEFAULT now(), ADD b text[], ADD "c-d" numeric(10,2) DEFAULT 1.5, ADD e bigserial, ADD f tsvector, ADD g "State" DEFAULT 'is-done',
       ADD h bool NOT NULL DEFAULT true, ADD i date DEFAULT '2026-01-01', ADD j jsonb DEFAULT '{"a": 1}', ADD k smallint, ADD l char(3) DEFAULT 'abc', ADD m text DEFAULT lower('A' || CURRENT_USER)`,
    [
      "24 add below: a DateTime @default(now()) @db.Timestamptz(3)",
      "24 add below: b String[]",
      '24 add below: c_d Decimal? @default(1.5) @db.Decimal(10, 2) @map("c-d")',
      "24 add below: e BigInt @default(autoincrement())",
      '24 add below: f Unsupported("tsvector")?',
      "24 add below: g State? @default(done)",
      "24 add below: h Boolean @default(true)",
      `24 add below: i DateTime? @default(dbgenerated("'2026-01-01'")) @db.Date`,
      '24 add below: j Json? @default("{\\"a\\": 1}")',
      "24 add below: k Int? @db.SmallInt",
      '24 add below: l String? @default("abc") @db.Char(3)',
      "24 add below: m String? @default(dbgenerated(\"lower('A' || CURRENT_USER)\"))",
    ],
  ],
  [
    "dropped columns",
    "ALTER TABLE note DROP rank; ALTER TABLE note DROP user_id",
    ["14 remove: notes Note[]", "20 remove: rank    Int      @default(1)"].concat(
      '23 remove: userId  Int?     @map("user_id")',
      "24 remove: user    User?    @relation(fields: [userId], references: [id])",
    ),
  ],
  [
    "changed columns",
    `ALTER TABLE note ALTER title TYPE text, ALTER title DROP NOT NULL, ALTER rank SET DEFAULT 5, ALTER state DROP DEFAULT, ALTER at TYPE timestamptz(6); ALTER TABLE "User" ALTER name SET DEFAULT 'none', ALTER name SET NOT NULL`,
    [
      '13 change to: name  String @default("none") // What the user is called.',
      "19 change to: title   String?",
      "20 change to: rank    Int @default(5)",
      "21 change to: state   State",
      "22 change to: at      DateTime @default(now()) @db.Timestamptz(6)",
    ],
  ],
  [
    "an enum and a model with a relation",
    `CREATE TYPE mood AS ENUM ('good', 'not so'); CREATE TABLE "tag list" (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, note_id uuid NOT NULL UNIQUE, mood mood DEFAULT 'not so',
       FOREIGN KEY (note_id) REFERENCES note (id) ON DELETE CASCADE)`,
    [],
  ],
  ["a table without a key", "CREATE TABLE log (at timestamp(3), text text)", []],
  ["a dropped table", "DROP TABLE note", []],
  [
    "a foreign key between models that have one already, and one of a model to itself",
    `ALTER TABLE note ADD editor int REFERENCES "User" (id); ALTER TABLE "User" ADD boss int CONSTRAINT has_boss REFERENCES "User" (id) ON DELETE SET NULL ON UPDATE CASCADE`,
    [],
  ],
  [
    "a foreign key with other actions and another name",
    'ALTER TABLE note DROP CONSTRAINT note_user_id_fkey, ADD CONSTRAINT note_user_id_fkey FOREIGN KEY (user_id) REFERENCES "User" (id) ON DELETE CASCADE',
    [
      "24 change to: user    User?    @relation(fields: [userId], references: [id], onDelete: Cascade, onUpdate: NoAction)",
    ],
  ],
  [
    "a renamed foreign key",
    "ALTER TABLE note RENAME CONSTRAINT note_user_id_fkey TO writer",
    ['24 change to: user    User?    @relation(fields: [userId], references: [id], map: "writer")'],
  ],
  ["values of an enum", `ALTER TYPE "State" ADD VALUE 'late'; ALTER TYPE "State" RENAME VALUE 'open' TO 'new one'`, []],
];

test.each(CASES)("%s: the schema with the named lines agrees with the history", (_, sql, lines) => {
  const found = changesOf(sql);
  const shown = found.lines.map(({ line, change, text }) => `${line} ${change}: ${text}`);
  if (lines.length > 0) expect(shown).toEqual(lines);
  expect(found.others).toEqual([]);
  expect(compare(changed(found), HISTORY, sql).differences, changed(found)).toEqual([]);
});

test("what Prisma has no word for, and what can't be compared, is named with its reason", () => {
  const found = changesOf(
    "CREATE INDEX part ON note (title) WHERE rank > 1; ALTER TABLE note ALTER rank SET DEFAULT random(); ALTER TABLE note ADD x int DEFAULT random()",
  );
  expect(found.others).toEqual([
    "default of note.rank: one is an expression, whose value the text doesn't show",
    "index part of note: Prisma's schema has no word for a partial index",
  ]);
  expect(found.lines.map(({ text }) => text)).toEqual(['x Int? @default(dbgenerated("random()"))']);
});
