import { beforeAll, describe, expect, test } from "vitest";
import type { MeasuredOnCopy } from "../../review/measured-durations";
import { loadParser, type ReviewInput, reviewRelease } from "../../review/review";

beforeAll(loadParser);

const history = [
  { name: "1_init", sql: "CREATE TABLE notes (id int, title text);", checksum: "a" },
  {
    ...{ name: "2_change", checksum: "b" },
    sql: "ALTER TABLE notes ADD COLUMN n int;\nALTER TABLE notes ALTER COLUMN id TYPE bigint;\nUPDATE notes SET n = 1;",
  },
];
const statement = (index: number, milliseconds: number) => ({
  ...{ index, line: index + 1, kind: "ALTER TABLE", milliseconds, rows: 0, walBytes: 0, tables: [] },
});
const measured: MeasuredOnCopy = {
  at: "2026-11-30T22:00:00Z",
  measurement: {
    ...{ milliseconds: 50_000, walBytes: 0, diskBytes: 0, growth: {}, plans: undefined },
    migrations: [
      { name: "2_change", milliseconds: 50_000, blocked: [], statements: [statement(1, 41_000), statement(2, 9_000)] },
    ],
  },
};
const stats = { tables: { notes: { rows: 90_000_000, bytes: 9 * 2 ** 30 } } };

function durations(more: Partial<ReviewInput>): Record<string, string> {
  const { findings } = reviewRelease({ history, applied: [{ name: "1_init" }], stats, ...more });
  return Object.fromEntries(findings.map(({ rule, howLong }) => [rule, howLong]));
}

describe("the duration of a finding", () => {
  test("is what a rehearsal measured of its statement, in place of the estimate", () => {
    expect(durations({ measured })).toMatchObject({
      "rewrite-blocks": "41 s, measured on a copy of 2026-11-30",
      "many-rows": "9 s, measured on a copy of 2026-11-30",
      "lock-held": "9 s, measured on a copy of 2026-11-30",
    });
  });

  test("is the estimate where the statement was not measured, and stays what it is where it is none", () => {
    const estimated = durations({});
    expect(estimated["rewrite-blocks"]).toMatch(/^Minutes|^Up to an hour/);
    const [migration] = measured.measurement.migrations;
    const others = { ...measured.measurement, migrations: [{ ...migration!, name: "3_other" }] };
    expect(durations({ measured: { ...measured, measurement: others } })).toEqual(estimated);
    const { "change-type": ofApp } = durations({ measured });
    expect(ofApp).toBe(estimated["change-type"]);
  });
});
