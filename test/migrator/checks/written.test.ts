import { expect, test } from "vitest";
import { writtenSince } from "../../../migrator/checks/written";

const counted = (tables: Record<string, number[]>, resetAt: string | null = null) => ({
  resetAt,
  tables: Object.fromEntries(
    Object.entries(tables).map(([name, [inserted = 0, updated = 0, deleted = 0]]) => [
      name,
      { inserted, updated, deleted, rows: 0 },
    ]),
  ),
});

test("the writes of each table are the difference of its counters, the most written first", () => {
  const base = counted({ notes: [10, 5], tags: [3], gone: [1] });
  const since = writtenSince(base, counted({ notes: [12, 5, 1], tags: [3], fresh: [40] }));
  expect(since).toEqual({
    tables: [
      { table: "fresh", inserted: 40, updated: 0, deleted: 0 },
      { table: "notes", inserted: 2, updated: 0, deleted: 1 },
    ],
    unknown: [],
    gone: ["gone"],
  });
});

test("counters that went down, or of a database whose counters were reset, tell nothing", () => {
  expect(writtenSince(counted({ notes: [10] }), counted({ notes: [2] })).unknown).toEqual(["notes"]);
  const reset = writtenSince(counted({ notes: [1] }), counted({ notes: [9] }, "2026-11-21T10:00:00Z"));
  expect(reset).toMatchObject({ tables: [], unknown: ["notes"] });
});
