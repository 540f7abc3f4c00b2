import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseBackups, type Retention, type StoredBackup } from "../../../backup/retention/choose";

const NOW = new Date("2026-11-30T12:00:00Z");
const DAY = 24 * 60 * 60 * 1000;
const HOUR = DAY / 24;

const made = (id: string, days: number, more: Partial<StoredBackup> = {}): StoredBackup => ({
  ...{ id, begunAt: new Date(NOW.getTime() - days * DAY), state: "complete" },
  ...more,
});
const retention = (more: Partial<Retention> = {}): Retention => ({
  ...{ keep: { last: 2, days: 10 }, named: new Map(), maxAgeMs: HOUR, now: NOW },
  ...more,
});
const gone = (backups: StoredBackup[], more: Partial<Retention> = {}) =>
  chooseBackups(backups, retention(more)).go.map(({ id }) => id);

describe("old backups", () => {
  const five = [made("a", 1), made("b", 5), made("c", 20), made("d", 30), made("e", 40)];

  test.each([
    ["the number and the age: the older ones beyond both", {}, ["e", "d", "c"]],
    ["a larger number: only what is beyond it", { keep: { last: 4, days: 1 } }, ["e"]],
    ["a larger age: only what is older", { keep: { last: 1, days: 35 } }, ["e"]],
    ["only the number", { keep: { last: 1 } }, ["e", "d", "c", "b"]],
    ["only the age", { keep: { days: 3 } }, ["e", "d", "c", "b"]],
    ["an age that all exceed: never the newest", { keep: { days: 1 } }, ["e", "d", "c", "b"]],
    ["nothing: nothing", { keep: undefined }, []],
    ["a name that a release has: not that one", { named: new Map([["d", "named"]]) }, ["e", "c"]],
    ["an age up to which a release may rely on it", { keep: { last: 1 }, maxAgeMs: 6 * DAY }, ["e", "d", "c"]],
  ] as const)("go by %s", (_, more, expected) => {
    expect(gone(five, more)).toEqual(expected);
  });

  test("count only if they are complete, and stay while they are being made", () => {
    const all = [made("running", 50, { state: "unfinished" }), made("failed", 2, { state: "failed" }), ...five];
    expect(gone(all, { keep: { last: 2 } })).toEqual(["e", "d", "c", "failed"]);
  });

  test("stay while a later one of their name stays, because a release ends its search at the first gap", () => {
    const series = (number: number) => ({ series: { name: "x", number } });
    const tries = [made("x", 40, { ...series(0), state: "failed" }), made("x-r2", 40, series(1)), made("y", 1)];
    expect(gone(tries, { keep: { last: 2 } })).toEqual([]);
    expect(gone(tries, { keep: { last: 1 } })).toEqual(["x", "x-r2"]);
  });

  test("are told with their reasons, the newest first", () => {
    const { stay } = chooseBackups(five, retention({ keep: { last: 3, days: 10 } }));
    expect(stay.map(({ backup, because }) => `${backup.id}: ${because}`)).toEqual([
      "a: it is the newest",
      "b: it is among the newest 3",
      "c: it is among the newest 3",
    ]);
  });
});

const backup = fc.record({
  id: fc.stringMatching(/^[a-z]{1,3}$/),
  begunAt: fc.integer({ min: 0, max: 60 * 24 }).map((hours) => new Date(NOW.getTime() - hours * HOUR)),
  state: fc.constantFrom<StoredBackup["state"]>("complete", "complete", "complete", "failed", "unfinished"),
});
const backups = fc.uniqueArray(backup, { selector: ({ id }) => id, maxLength: 40 });
const keep = fc.option(
  fc.record({
    last: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    days: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  }),
  { nil: undefined },
);
const cases = fc.tuple(backups, keep, fc.integer({ min: 0, max: 48 }), fc.infiniteStream(fc.boolean()));

test("whatever the settings and the backups are, the rules hold", () => {
  fc.assert(
    fc.property(cases, ([all, wanted, maxAgeHours, coin]) => {
      const named = new Map(all.filter(() => coin.next().value === true).map(({ id }) => [id, "named"]));
      const rules = retention({ keep: wanted, named, maxAgeMs: maxAgeHours * HOUR });
      const { stay, go } = chooseBackups(all, rules);
      const staying = stay.map((each) => each.backup);
      // Each one stays or goes, and none does both.
      expect([...staying, ...go].map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
      const complete = all.filter(({ state }) => state === "complete");
      const newest = Math.max(...complete.map(({ begunAt }) => begunAt.getTime()));
      if (complete.length > 0)
        expect(staying.some(({ begunAt, state }) => begunAt.getTime() === newest && state === "complete")).toBe(true);
      const last = Math.min(complete.length, wanted?.last ?? 1);
      expect(staying.filter(({ state }) => state === "complete").length).toBeGreaterThanOrEqual(last);
      for (const each of go) {
        const age = NOW.getTime() - each.begunAt.getTime();
        expect(named.has(each.id)).toBe(false);
        expect(each.state).not.toBe("unfinished");
        expect(age).toBeGreaterThanOrEqual(Math.max(rules.maxAgeMs, (wanted?.days ?? 0) * DAY));
      }
      if (wanted === undefined) expect(go).toEqual([]);
      // Another run right after it removes nothing.
      expect(chooseBackups(staying, rules).go).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
