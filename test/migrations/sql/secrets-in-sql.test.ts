import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { copyableSql } from "../../../migrations/sql/copyable-sql";
import { secretsIn } from "../../../migrations/sql/secrets-in-sql";
import { formatReview, reviewFormats } from "../../../review/formats";
import { loadParser, reviewRelease } from "../../../review/review";
import { before } from "../../review/corpus/before";
import { statements } from "../../review/corpus/statements";

beforeAll(() => loadParser());

const VERIFIER = `SCRAM-SHA-256$4096:${"a".repeat(22)}==$${"b".repeat(43)}=:${"c".repeat(43)}=`;

describe("a secret in a migration is found", () => {
  test.each([
    ["CREATE ROLE a LOGIN PASSWORD $pw$canary$pw$", "the password of a role"],
    ["ALTER USER a /* 'x' */ PASSWORD -- 'y'\n E'canary'", "the password of a role"],
    ["ALTER ROLE a PASSWORD U&'canary'", "the password of a role"],
    ["ALTER ROLE a PASSWORD 'md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "the password of a role"],
    ["DO $$ BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''canary'''; END $$", "the password of a role"],
    ["CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'x', password 'canary')", "the option password"],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'host=h password=canary user=u' PUBLICATION p",
      "a connection string with a password",
    ],
    ["SELECT dblink_connect('c', 'postgresql://u:canary@h/d')", "a URL with a password"],
    ["INSERT INTO cfg VALUES ('api', $$sk_live_canary123$$)", "a key of a service's API"],
    ["INSERT INTO k VALUES ('-----BEGIN RSA PRIVATE KEY-----')", "a private key"],
    ["SELECT set_config('app.api_key', 'canary', false)", "a secret setting"],
    ["SET app.jwt_secret = 'canary'", "a secret setting"],
  ])("%s", (sql, what) => expect(secretsIn(sql)).toEqual([{ what }]));

  test.each([
    "ALTER ROLE a PASSWORD NULL",
    `CREATE ROLE a PASSWORD '${VERIFIER}'`,
    "ALTER TABLE users ADD COLUMN password text NOT NULL DEFAULT '', ADD COLUMN api_key text",
    "INSERT INTO settings VALUES ('password', 'must be changed'), ('secret', 'url')",
    "COMMENT ON COLUMN users.password IS 'password = bcrypt; user = who'",
    "UPDATE links SET url = 'https://example.com/a@b:c' WHERE url LIKE 'http://%'",
    "SET search_path = 'public'",
    "SELECT set_config('app.key_count', '5', false)",
    "INSERT INTO docs VALUES ('postgresql://USER:<password>@HOST/DATABASE')",
  ])("and nothing is said of %s", (sql) => expect(secretsIn(sql)).toEqual([]));

  test("nothing is said of what migrations usually do", () => {
    for (const sql of [before, ...statements.map(([text]) => text)]) expect(secretsIn(sql)).toEqual([]);
  });
});

const migration = (name: string, sql: string) => ({ name, sql, checksum: checksumOf(sql) });
const base = migration("1_base", "CREATE TABLE cfg (id int PRIMARY KEY, k text, v text);");
const release = migration(
  "2_new",
  `BEGIN;
UPDATE cfg SET v = 'canary-value' WHERE id > 47110815;
DELETE FROM cfg WHERE k = $$canary-key$$ /* canary-comment */;
ALTER ROLE app PASSWORD 'canary-password';
ALTER TABLE cfg ADD CONSTRAINT kinds CHECK (k IN ('a', 'b'));
COMMIT;`,
);

describe("a review", () => {
  test.each(reviewFormats)("as %s holds no value of a row and no secret", (format) => {
    const text = formatReview(reviewRelease({ history: [base, release], applied: [base] }), format);
    expect(text).not.toMatch(/canary|47110815/);
    expect(text).toContain("secret-in-migration");
    expect(text).toContain("the password of a role in plain text");
  });

  test("names the place of a syntax error, and not the constant that stands there", () => {
    const broken = migration("2_new", "CREATE ROLE a PASSWORD 'canary");
    const text = formatReview(reviewRelease({ history: [base, broken], applied: [base] }), "text");
    expect(text).toContain("line 1, column 24: unterminated quoted string.");
    expect(text).not.toContain("canary");
  });

  test("proposes SQL with a placeholder for each value, which Postgres refuses until it is filled in", () => {
    expect(copyableSql("-- release: batch size 5000\nUPDATE cfg SET v = 'canary', n = 4711 WHERE v IS NULL;")).toBe(
      "-- <value>: as in the migration\n-- release: batch size 5000\nUPDATE cfg SET v = <value>, n = <value> WHERE v IS NULL;",
    );
    const schema = "ALTER TABLE cfg ADD CHECK (k IN ('a', 'b')) NOT VALID; SELECT setval('cfg_id_seq', 5000);";
    expect(copyableSql(schema)).toBe(schema);
  });
});
