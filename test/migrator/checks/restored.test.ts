import { describe, expect, test } from "vitest";
import { judgeRestored, type RestoredFacts } from "../../../migrator/checks/restored";

const rows = (count: number, more: { exact?: boolean; unlogged?: boolean } = {}) => ({
  rows: { rows: count, exact: more.exact ?? true },
  unlogged: more.unlogged ?? false,
});
const size = (count: number) => ({ rows: count, bytes: count * 100 });

const COMPLETE: RestoredFacts = {
  last: "2_more",
  applied: ["1_init", "2_more"],
  unfinished: [],
  recorded: { last: "2_more", tables: { notes: size(100), cache: size(10), empty: size(0) } },
  tables: { notes: rows(98), cache: rows(0, { unlogged: true }), empty: rows(0), new: rows(3) },
  counts: undefined,
};

describe("a restored database", () => {
  test("is complete with what its last release recorded, give or take the rows of a day", () => {
    expect(judgeRestored(COMPLETE, 5)).toEqual({
      findings: [],
      remarks: ["Table cache is unlogged, and therefore empty: a backup doesn't hold its rows."],
    });
  });

  test.each<[string, Partial<RestoredFacts>, string]>([
    [
      "a migration that its own records name",
      { applied: ["1_init"], last: "1_init" },
      "Its own records name 2_more as applied, and its history doesn't.",
    ],
    [
      "the end of a migration",
      { unfinished: ["3_half"] },
      "Migration 3_half was started and is not finished: the backup was made in the middle of it.",
    ],
    ["a table", { tables: { cache: rows(1) } }, "Table notes is missing."],
    [
      "all rows",
      { tables: { notes: rows(0), cache: rows(0) } },
      "Every table that had rows at the last release is empty.",
    ],
    [
      "a row of the backup's manifest",
      { counts: { notes: 99 } },
      "Table notes has 98 rows; the backup's manifest counts 99.",
    ],
    [
      "a table of the backup's manifest",
      { counts: { tags: 5 } },
      "Table tags is missing; the backup's manifest counts 5 rows in it.",
    ],
  ])("lacks %s", (_, change, finding) => {
    expect(judgeRestored({ ...COMPLETE, ...change }, 5).findings).toEqual([finding]);
  });

  test("may have dropped a table since its last release, and lost rows, which is only remarked", () => {
    const later = { ...COMPLETE, last: "3_drop", applied: [...COMPLETE.applied, "3_drop"] };
    const { findings, remarks } = judgeRestored({ ...later, tables: { notes: rows(40) } }, 5);
    expect(findings).toEqual([]);
    expect(remarks).toEqual(["Table notes has 40 rows; at the last release it had about 100."]);
  });

  test("without a history and records is said to have none", () => {
    const bare = { ...COMPLETE, last: undefined, applied: [], recorded: undefined };
    expect(judgeRestored(bare, 5)).toEqual({ findings: [], remarks: ["There is no history of migrations in it."] });
  });

  test("is not judged by what can't be read, or is only estimated", () => {
    const tables = { notes: { rows: { unknown: "locked" }, unlogged: false }, cache: rows(5) };
    expect(judgeRestored({ ...COMPLETE, tables, counts: { notes: 5 } }, 5).findings).toEqual([]);
    const estimated = { ...COMPLETE, tables: { notes: rows(90, { exact: false }), cache: rows(10) } };
    expect(judgeRestored({ ...estimated, counts: { notes: 100 } }, 50).findings).toEqual([]);
  });
});
