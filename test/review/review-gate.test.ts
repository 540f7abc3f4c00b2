import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSettings, ReviewRefused, reviewGate } from "../../components";
import { packHistory } from "../../review/packed-history";

describe("the review in preview and up", () => {
  let folder: string;
  const settings = (refuse: string[]) =>
    parseSettings({
      app: { name: "notes", image: "notes:1" },
      database: { identifier: "notes-db", secret: { name: "notes-database" } },
      migrations: { directory: "migrations" },
      review: { refuse },
    }).settings!;
  const live = { migration: "20240101000000_base" };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "review gate "));
    const write = (name: string, sql: string) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "migration.sql"), sql);
    };
    write("20240101000000_base", `CREATE TABLE ${"a".repeat(70)} (id INT);\n`);
    write("20240102000000_long", `SELECT 1;\nCREATE TABLE ${"x".repeat(70)} (id INT);\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("shows what squawk says of the new migrations, as npm run review does", async () => {
    const review = await reviewGate(settings([]), await packHistory(folder), live);
    expect(review.findings).toMatchObject([
      { id: "squawk identifier-too-long", migration: "20240102000000_long", line: 2, classes: ["lint"] },
    ]);
    expect(review.refused).toEqual([]);
  });

  test("refuses it where the environment does", async () => {
    const refused = reviewGate(settings(["lint"]), await packHistory(folder), live);
    await expect(refused).rejects.toThrow(ReviewRefused);
    await expect(refused).rejects.toThrow(/REFUSED: squawk identifier-too-long/);
  });

  test("goes on where squawk is not installed, and says so", async () => {
    const { migrations } = await packHistory(folder);
    const lint = { unavailable: "the package squawk-cli is not installed" };
    const review = await reviewGate(settings(["lint"]), { migrations, lint }, live);
    expect(review).toMatchObject({ findings: [], unlinted: "the package squawk-cli is not installed" });
  });
});
