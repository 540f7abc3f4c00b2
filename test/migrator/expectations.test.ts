import { beforeAll, describe, expect, it } from "vitest";
import { checksumOf } from "../../migrations/history";
import { loadParser } from "../../migrations/plan";
import { plannedEffects } from "../../migrator/planned-effects";

beforeAll(() => loadParser());

/** What is promised after these migrations, `-` in front of what must be gone. */
function promises(...scripts: string[]): string[] {
  const migrations = scripts.map((sql, index) => ({ name: `${index}`, sql, checksum: checksumOf(sql) }));
  return plannedEffects([], migrations, "public").promises.map(({ key, present }) => (present ? key : `-${key}`));
}

describe("what migrations promise", () => {
  it("is what they leave, not what they made on the way", () => {
    const made = "CREATE TABLE t (a int); CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f();";
    expect(promises(made)).toEqual(["table public.t", "column public.t.a", "trigger public.t.g"]);
    expect(promises(made, "DROP TRIGGER g ON t;")).toContain("-trigger public.t.g");
    expect(promises(made, 'DROP TRIGGER IF EXISTS g ON "public"."t";')).toContain("-trigger public.t.g");
    expect(promises(made, "ALTER TABLE t DROP COLUMN a;")).toContain("-column public.t.a");
  });

  it("follows a type that takes the name of another, as Prisma takes a value out of an enum", () => {
    expect(
      promises(
        "CREATE TYPE e AS ENUM ('a', 'b');",
        "CREATE TYPE e_new AS ENUM ('a'); ALTER TYPE e RENAME TO e_old; ALTER TYPE e_new RENAME TO e; DROP TYPE e_old;",
      ),
    ).toEqual(["type public.e", "-type public.e_new", "-type public.e_old"]);
  });

  it("is nothing of what is gone with its session, its table or its constraint", () => {
    expect(promises("CREATE TEMP TABLE t (a int); CREATE TEMP TABLE u ON COMMIT DROP AS SELECT 1;")).toEqual([]);
    const parts = "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t FOR VALUES IN (1);";
    expect(promises(`${parts} DROP TABLE t;`)).toEqual(["-table public.t"]);
    const unique = "CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;";
    expect(promises(unique)).toEqual(["-index public.i", "constraint public.t.c"]);
    expect(promises("CREATE UNIQUE INDEX c ON t (a); ALTER TABLE t DROP CONSTRAINT c;")).toEqual([
      "-constraint public.t.c",
    ]);
    expect(promises("ALTER TABLE IF EXISTS t ADD COLUMN a int; ALTER VIEW v RENAME COLUMN a TO b;")).toEqual([]);
  });

  it("is nothing where names may lead elsewhere", () => {
    expect(promises("SET search_path TO other; CREATE TABLE t (a int);")).toEqual([]);
    expect(promises("SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE t (a int);")).toEqual([]);
  });

  it.each([
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
});
