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

  it.each(["DROP TYPE x CASCADE;", "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$;", "ALTER TABLE t SET SCHEMA s;"])(
    "is nothing that %s may have taken back",
    (taker) => {
      expect(promises("CREATE TABLE t (a int);", taker).filter((key) => !key.startsWith("-"))).toEqual([]);
      expect(promises(taker, "CREATE TABLE t (a int);")).toContain("table public.t");
    },
  );
});
