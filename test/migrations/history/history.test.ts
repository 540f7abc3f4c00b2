import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { fingerprint, readHistory, readHistorySync } from "../../../migrations/history/history";
import { HistoryError } from "../../../migrations/history/history-error";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(files: Record<string, string | Uint8Array | null>): string {
  const root = mkdtempSync(join(tmpdir(), "history-"));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(content === null ? file : dirname(file), { recursive: true });
    if (content !== null) writeFileSync(file, content);
  }
  return root;
}

function problemsOf(directory: string): HistoryError {
  try {
    readHistorySync(directory);
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
  throw new Error("the history was accepted");
}

describe("a readable history", () => {
  test("comes in the order in which Prisma applies it, by the bytes of the names", async () => {
    const root = folder({
      "20240102000000_second/migration.sql": "SELECT 2;",
      "20240101000000_first/migration.sql": "SELECT 1;",
      "0_init/migration.sql": "SELECT 0;",
      "20240102000000_secönd/migration.sql": "SELECT 3;",
      "20240103_by_date/migration.sql": "SELECT 4;",
      "20240103120000_at_noon/migration.sql": "SELECT 5;",
      "migration_lock.toml": '# do not edit\nprovider = "postgresql"\n',
      "README.md": "not a migration",
    });
    const names = [
      "0_init",
      "20240101000000_first",
      "20240102000000_second",
      "20240102000000_secönd",
      "20240103120000_at_noon",
      "20240103_by_date",
    ];
    expect((await readHistory(root)).map(({ name }) => name)).toEqual(names);
    expect(readHistorySync(root)).toEqual(await readHistory(root));
  });

  test("keeps byte order mark, line ends and every other byte, and sums the file's own bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.boolean(), fc.constantFrom("\n", "\r\n"), (text, mark, end) => {
        const sql = `${mark ? "\ufeff" : ""}-- ${text.replaceAll("\0", "")}${end}SELECT 1;${end}`;
        const bytes = Buffer.from(sql);
        const root = folder({ "1_a/migration.sql": bytes });
        const [migration] = readHistorySync(root);
        rmSync(root, { recursive: true });
        expect(migration?.sql).toBe(bytes.toString());
        expect(Buffer.from(migration!.sql)).toEqual(bytes);
        expect(migration?.checksum).toBe(createHash("sha256").update(bytes).digest("hex"));
      }),
      { numRuns: 200 },
    );
  });

  test("may be empty, and may have empty files", () => {
    expect(readHistorySync(folder({}))).toEqual([]);
    expect(readHistorySync(folder({ "1_a/migration.sql": "" }))[0]?.sql).toBe("");
  });

  test("has a fingerprint of names and contents, in order", () => {
    const migration = fc.record({ name: fc.string(), checksum: fc.string() });
    fc.assert(
      fc.property(fc.array(migration, { maxLength: 4 }), fc.array(migration, { maxLength: 4 }), (a, b) => {
        expect(fingerprint(a) === fingerprint(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    expect(fingerprint([])).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("a history that can't be used", () => {
  test("says everything that is wrong at once", () => {
    const root = folder({
      "10_b/migration.sql": "SELECT 1;",
      "2_a/migration.sql": "SELECT 1;",
      "3_latin1/migration.sql": Buffer.from("-- ok\n-- caf\xe9\n", "latin1"),
      "4_utf16/migration.sql": Buffer.from("\ufeffSELECT 1;", "utf16le"),
      "5_zero/migration.sql": "SELECT 1;\n\0",
      "6_empty": null,
      "init/migration.sql": "SELECT 1;",
      "migration_lock.toml": 'provider = "mysql"\n',
    });
    const error = problemsOf(root);
    expect(error.problems.map(({ kind, path }) => [kind, path.slice(root.length + 1)]).sort()).toEqual([
      ["encoding", "3_latin1/migration.sql"],
      ["encoding", "4_utf16/migration.sql"],
      ["encoding", "5_zero/migration.sql"],
      ["name", "init"],
      ["no-script", "6_empty"],
      ["order", "2_a"],
      ["provider", "migration_lock.toml"],
    ]);
    for (const { path, message } of error.problems) expect(error.message).toContain(`${path} ${message}`);
    expect(error.message).toContain("byte 0xe9 in line 2");
    expect(error.message).toContain("zero byte in line 2");
    expect(error.message).toContain("is UTF-16");
    expect(error.message).toContain('"mysql"');
  });

  test("a folder that isn't there, or is a file", () => {
    const root = folder({ file: "text" });
    expect(problemsOf(join(root, "absent")).message).toContain("no such folder");
    expect(problemsOf(join(root, "file")).message).toContain("is a file");
  });

  test("the folder above the history names the right one", () => {
    const root = folder({ "migrations/migration_lock.toml": 'provider = "postgresql"' });
    expect(problemsOf(root).message).toContain(`use ${join(root, "migrations")}`);
  });

  test("a linked folder is named, because Prisma passes over it", () => {
    const root = folder({ "1_a/migration.sql": "" });
    symlinkSync(join(root, "1_a"), join(root, "2_b"));
    expect(problemsOf(root).problems).toMatchObject([{ kind: "link", path: join(root, "2_b") }]);
  });

  test("a lock file without a provider", () => {
    expect(problemsOf(folder({ "migration_lock.toml": "" })).message).toContain("names no provider");
  });
});
