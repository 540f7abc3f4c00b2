import { beforeAll, expect, test } from "vitest";
import { checksumOf } from "../../migrations/history/history";
import type { Finding } from "../../review/finding";
import { loadParser, reviewRelease } from "../../review/review";

beforeAll(() => loadParser());

const [base, drop] = [
  "CREATE TABLE notes (id INT PRIMARY KEY, title TEXT);",
  "ALTER TABLE notes DROP COLUMN title;",
].map((sql, index) => ({ name: `${index + 1}_step`, sql, checksum: checksumOf(sql) })) as [
  { name: string; sql: string; checksum: string },
  { name: string; sql: string; checksum: string },
];

const broken = (about: string): Finding => ({
  id: `old-version-broken ${about}`,
  rule: "old-version-broken",
  classes: ["incompatible"],
  severity: "error",
  migration: drop.name,
  checksum: drop.checksum,
  line: 1,
  what: "The column is gone.",
  who: "Pods of the old version.",
  howLong: "Until the rollout is complete",
});

test("what a run and the text say of the same column is said once", () => {
  const findings = [broken("notes.title"), broken("notes.id")];
  const review = reviewRelease({ history: [base, drop], applied: [base], trial: { postgres: "18.4", findings } });
  expect(review.findings.map(({ id }) => id).sort()).toEqual([
    "drop-column notes.title",
    "old-version-broken notes.id",
  ]);
});

test("the acknowledgement of a run's finding is only without effect where the migrations were run", () => {
  const acknowledgements = [
    {
      migration: drop.name,
      finding: "lock-not-foreseen notes",
      checksum: drop.checksum.slice(0, 8),
      reason: "at night",
    },
  ];
  const input = { history: [base, drop], applied: [base], acknowledgements };
  expect(reviewRelease(input).void).toEqual([]);
  expect(reviewRelease({ ...input, trial: { unavailable: "no binaries", findings: [] } }).void).toEqual([]);
  expect(reviewRelease({ ...input, trial: { postgres: "18.4", findings: [] } }).void).toHaveLength(1);
});
