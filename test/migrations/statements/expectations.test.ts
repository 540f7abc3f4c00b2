import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { loadParser } from "../../../migrations/history/plan";
import { plannedEffects } from "../../../migrator/apply/planned-effects";
import { Plans } from "../../../migrator/plans";

beforeAll(() => loadParser());

/** What is promised after these migrations, `-` in front of what must be gone. */
function promises(...scripts: string[]): string[] {
  const migrations = scripts.map((sql, index) => ({ name: `${index}`, sql, checksum: checksumOf(sql) }));
  return plannedEffects(new Plans(), [], migrations, "public")
    .promises.filter(({ uncertain }) => uncertain === undefined)
    .map(({ key, present }) => (present ? key : `-${key}`));
}

describe("what migrations promise", () => {
  test("is what they leave, not what they made on the way", () => {
    const made = "CREATE TABLE t (a int); CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f();";
    expect(promises(made)).toEqual(["table public.t", "column public.t.a", "trigger public.t.g"]);
    expect(promises(made, "DROP TRIGGER g ON t;")).toContain("-trigger public.t.g");
    expect(promises(made, 'DROP TRIGGER IF EXISTS g ON "public"."t";')).toContain("-trigger public.t.g");
    expect(promises(made, "ALTER TABLE t DROP COLUMN a;")).toContain("-column public.t.a");
  });

  test("follows a type that takes the name of another, as Prisma takes a value out of an enum", () => {
    expect(
      promises(
        "CREATE TYPE e AS ENUM ('a', 'b');",
        "CREATE TYPE e_new AS ENUM ('a'); ALTER TYPE e RENAME TO e_old; ALTER TYPE e_new RENAME TO e; DROP TYPE e_old;",
      ),
    ).toEqual(["type public.e", "-type public.e_new", "-type public.e_old"]);
  });

  test("is nothing of what is gone with its session, its table or its constraint", () => {
    expect(promises("CREATE TEMP TABLE t (a int); CREATE TEMP TABLE u ON COMMIT DROP AS SELECT 1;")).toEqual([]);
    const parts = "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t FOR VALUES IN (1);";
    expect(promises(`${parts} DROP TABLE t;`)).toEqual(["-table public.t"]);
    const unique = "CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;";
    expect(promises(unique)).toEqual(["constraint public.t.c", "-index public.i"]);
    expect(promises("CREATE UNIQUE INDEX c ON t (a); ALTER TABLE t DROP CONSTRAINT c;")).toEqual([
      "-constraint public.t.c",
    ]);
    expect(promises("ALTER TABLE IF EXISTS t ADD COLUMN a int; ALTER VIEW v RENAME COLUMN a TO b;")).toEqual([]);
  });

  test("is nothing where names may lead elsewhere", () => {
    expect(promises("SET search_path TO other; CREATE TABLE t (a int);")).toEqual([]);
    expect(promises("SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE t (a int);")).toEqual([]);
  });

  test.each([
    "SELECT own_function();",
    "ALTER TABLE u DROP COLUMN b CASCADE;",
    "ALTER SCHEMA public RENAME TO s;",
    "DROP TYPE x CASCADE;",
    "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$;",
    "ALTER TABLE t SET SCHEMA s;",
  ])("is nothing that %s may have taken back", (taker) => {
    expect(promises("CREATE TABLE t (a int);", taker).filter((key) => !key.startsWith("-"))).toEqual([]);
    expect(promises(taker, "CREATE TABLE t (a int);")).toContain("table public.t");
  });

  test("is nothing of what is temporary, whatever is done to it", () => {
    const made = "CREATE TABLE d (a int);";
    for (const temporary of [
      "CREATE TEMP TABLE x AS SELECT 1 AS a; CREATE INDEX xi ON x (a);",
      "SELECT 1 AS a INTO TEMP x; ALTER TABLE x ADD COLUMN b int; ALTER TABLE x RENAME TO y; CREATE INDEX xi ON y (a); DROP INDEX xi; DROP TABLE y;",
      "CREATE TEMP VIEW v AS SELECT 1; CREATE TEMP SEQUENCE s; ALTER VIEW v RENAME TO w; DROP VIEW w;",
      "CREATE TEMP TABLE x (a int); CREATE VIEW v AS SELECT a FROM x;",
      "CREATE TABLE pg_temp.x (a int); CREATE INDEX xi ON pg_temp.x (a); CREATE TYPE pg_temp.e AS ENUM ('a');",
      // It hides the table of the schema until it is dropped.
      "CREATE TEMP TABLE d (a int); ALTER TABLE d ADD COLUMN b int; DROP TABLE d;",
      "BEGIN; CREATE TEMP TABLE d ON COMMIT DROP AS SELECT 1; CREATE INDEX di ON d (a); COMMIT;",
    ])
      expect(promises(made, temporary), temporary).toEqual(["table public.d", "column public.d.a"]);
    expect(promises(made, "CREATE TEMP TABLE d (a int) ON COMMIT DROP;", "ALTER TABLE d ADD COLUMN b int;")).toContain(
      "column public.d.b",
    );
    expect(promises("CREATE TEMP TABLE d (a int); DROP TABLE d; CREATE TABLE d (b int);")).toContain("table public.d");
  });

  test("is nothing of what is rolled back", () => {
    const y = ["table public.y", "column public.y.i"];
    expect(promises("BEGIN; CREATE TABLE z (i int); ROLLBACK; CREATE TABLE y (i int);")).toEqual(y);
    expect(promises("SAVEPOINT a; CREATE TABLE z (i int); ROLLBACK TO a; RELEASE a; CREATE TABLE y (i int);")).toEqual(
      y,
    );
    expect(
      promises("CREATE TABLE y (i int);", "BEGIN; DROP TABLE y; SAVEPOINT a; CREATE TABLE z (i int); ROLLBACK;"),
    ).toEqual(y);
    expect(promises("SAVEPOINT a; CREATE TABLE y (i int); RELEASE a;")).toEqual(y);
  });

  test("is no more of what is there already than that it is there", () => {
    const made = "CREATE TABLE a (id int);";
    expect(promises(made, "CREATE TABLE IF NOT EXISTS a (id int, other int);")).toEqual([
      "table public.a",
      "column public.a.id",
    ]);
    expect(promises("CREATE TABLE IF NOT EXISTS a (id int);")).toEqual(["table public.a"]);
    expect(promises("DROP TABLE IF EXISTS a; CREATE TABLE IF NOT EXISTS a (id int);")).toContain("column public.a.id");
    expect(promises("CREATE TABLE IF NOT EXISTS _prisma_migrations (id int);")).toEqual([]);
    expect(promises(made, "ALTER TABLE IF EXISTS a DROP COLUMN id;")).toEqual(["table public.a"]);
    expect(promises(made, "ALTER TABLE a ALTER COLUMN id SET DEFAULT NULL;")).toContain("column public.a.id");
  });

  test("goes with what it is a part of, and nothing else goes", () => {
    const made =
      "CREATE TABLE t (a int, b int); CREATE INDEX ta ON t (a); CREATE INDEX tb ON t (b); CREATE INDEX ub ON u (b);";
    expect(promises(made, "ALTER TABLE t DROP COLUMN a;")).toEqual(
      expect.arrayContaining(["index public.tb", "index public.ub", "-column public.t.a"]),
    );
    expect(promises(made, "ALTER TABLE t DROP COLUMN a;")).not.toContain("index public.ta");
    expect(promises(made, "DROP TABLE t;")).toEqual(["index public.ub", "-table public.t"]);
    expect(
      promises(
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX mi ON m (a); DROP MATERIALIZED VIEW m;",
      ),
    ).toEqual(["-materialized view public.m"]);
    expect(promises("CREATE SEQUENCE s; ALTER SEQUENCE s OWNED BY t.a;", "DROP TABLE t;")).toEqual(["-table public.t"]);
    expect(promises("CREATE SEQUENCE s OWNED BY t.a;", "DROP TABLE t;")).toEqual(["-table public.t"]);
    const view = "CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX mi ON m (a);";
    const gone = `${view} ALTER MATERIALIZED VIEW m RENAME TO m2; DROP MATERIALIZED VIEW m2;`;
    expect(promises(gone)).toEqual(["-materialized view public.m", "-materialized view public.m2"]);
  });

  test("follows a thing that is renamed, whatever kind of thing ALTER TABLE is said of", () => {
    expect(promises("CREATE VIEW w AS SELECT 1; ALTER TABLE w RENAME TO w2;")).toEqual(
      expect.arrayContaining(["view public.w2"]),
    );
    expect(
      promises("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "ALTER TABLE t RENAME TO u; DROP TABLE u;"),
    ).not.toContain("index public.i");
    expect(promises("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "ALTER TABLE t RENAME TO u;")).toEqual(
      expect.arrayContaining(["table public.u", "column public.u.a", "index public.i"]),
    );
    expect(
      promises("CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f();", "ALTER TRIGGER g ON t RENAME TO h;"),
    ).toEqual(expect.arrayContaining(["trigger public.t.h", "-trigger public.t.g"]));
  });

  test("stays where a statement only fills, sets or reads, and where names have their schema", () => {
    const made = "CREATE TABLE public.t (a int);";
    for (const harmless of [
      "SELECT setval('q', 5);",
      "SELECT pg_catalog.set_config('search_path', '', false);",
      "SET search_path = other;",
    ])
      expect(promises(made, harmless), harmless).toContain("table public.t");
    expect(promises("SET search_path = other; CREATE TABLE public.t (a int);")).toContain("table public.t");
    expect(promises(made, "SET search_path = other; DROP TABLE t;")).toEqual([]);
  });

  test("stays where a DO block only makes something, or drops something else", () => {
    const made = "CREATE TABLE public.t (a int); CREATE INDEX i ON t (a);";
    for (const block of [
      "DO $$ BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
      "DO $$\nBEGIN\nIF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'e') THEN\nCREATE TYPE e AS ENUM ('a');\nEND IF;\nEND $$;",
      "DO $$\nBEGIN\nDROP TABLE other;\nEND $$;",
    ])
      expect(promises(made, block), block).toContain("index public.i");
    for (const block of ["DO $$\nBEGIN\nDROP INDEX i;\nEND $$;", "DO $$\nBEGIN\nEXECUTE 'x';\nEND $$;"])
      expect(promises(made, block), block).not.toContain("index public.i");
  });
});
