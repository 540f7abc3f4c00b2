import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hotfixSql, hotfixTitle } from "../../../migrations/history/hotfix";
import { newName } from "../../../migrations/history/new-name";
import { writeMigrationSync } from "../../../migrations/history/write-migration";

const folder = mkdtempSync(join(tmpdir(), "hotfix "));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["SELECT 1;\n", "-- release: hotfix\nSELECT 1;\n"],
  ["\ufeffSELECT 1;\r\n", "\ufeff-- release: hotfix\r\nSELECT 1;\r\n"],
  ["-- why\n-- release: hotfix\nSELECT 1;", "-- why\n-- release: hotfix\nSELECT 1;"],
  ["-- Release: hotfix\r\nSELECT 1;", "-- Release: hotfix\r\nSELECT 1;"],
  ["SELECT '-- release: hotfix';", "-- release: hotfix\nSELECT '-- release: hotfix';"],
])("the text of a hotfix has the line that marks it once: %j", (sql, marked) => expect(hotfixSql(sql)).toBe(marked));

test("its name stands after every other one, and has its title", () => {
  const now = new Date("2026-04-10T12:00:00Z");
  const name = (last: string) => newName("add_index", last, now);
  expect(name("")).toBe("20260410120000_add_index");
  expect(name("20260410115959_b")).toBe("20260410120000_add_index");
  expect(name("20260410120000_b")).toBe("20260410120001_add_index");
  expect(name("20301231235959_b")).toBe("20310101000000_add_index");
  expect(name("2_b")).toBe("3_add_index");
  expect(hotfixTitle("20260410120000_2_index")).toBe("2_index");
});

test("its folder is written whole, and never over another one", () => {
  const directory = join(folder, "migrations");
  mkdirSync(directory);
  expect(writeMigrationSync(directory, "1_a", "SELECT 1;")).toBe(join(directory, "1_a/migration.sql"));
  expect(writeMigrationSync(directory, "1_a", "SELECT 1;")).toBe(join(directory, "1_a/migration.sql"));
  expect(() => writeMigrationSync(directory, "1_a", "SELECT 2;")).toThrow(/ENOTEMPTY|EEXIST/);
  writeFileSync(join(directory, "2_b"), "");
  expect(() => writeMigrationSync(directory, "2_b", "SELECT 2;")).toThrow(/ENOTDIR|EEXIST/);
  expect(readFileSync(join(directory, "1_a/migration.sql"), "utf8")).toBe("SELECT 1;");
  expect(readdirSync(folder)).toEqual(["migrations"]);
});
