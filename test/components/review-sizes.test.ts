import { describe, expect, test } from "vitest";
import { parseSettings, reviewGate } from "../../components";
import { formatReview } from "../../review/formats";

const { settings } = parseSettings({
  app: { name: "notes", image: "notes:1" },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
});
const migrations = [
  { name: "1_init", sql: 'CREATE TABLE "notes" (id int, owner int);', checksum: "a".repeat(64) },
  { name: "2_index", sql: 'CREATE INDEX notes_owner ON "notes" (owner);', checksum: "b".repeat(64) },
];

describe("the review of `up` and `preview`", () => {
  test.each([
    [{ rows: 40_000_000, bytes: 12e9 }, "error", "11 GiB, 40.0 million rows"],
    [{ rows: 4, bytes: 16_384 }, "info", "16 KiB, 4 rows"],
    [undefined, "warning", "Sizes of tables and durations are unknown"],
  ])("judges by the size of the live table: %j", async (size, severity, text) => {
    const sizes = size && { recordedAt: "2026-11-21T10:05:00Z", tables: { notes: size } };
    const review = await reviewGate(settings!, { migrations }, { migration: "1_init", sizes });
    expect(review.findings.map((finding) => finding.severity)).toEqual([severity]);
    expect(formatReview(review, "text")).toContain(text);
  });
});
