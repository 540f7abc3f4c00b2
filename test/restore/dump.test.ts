import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encrypted } from "../../backup/encryption";
import { markText, readMark } from "../../backup/restoring/mark";
import { checkedCopyName, databaseCopyName } from "../../restore/dump/copy-name";
import { fileKeyOf } from "../../restore/dump/file-key";
import { labelValue } from "../../restore/dump/job";
import { wantedDump } from "../../restore/dump/which-dump";
import { readRestoreCommand } from "../../restore/options";
import { KEYS } from "../backup/pod";

const folder = mkdtempSync(join(tmpdir(), "restore-dump-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLACE = { place: "s3://backups/prod", folder: "notes.prod" };
const NAME = "notes.prod/notes-3f2a9c41b07e";
const NONE = { outputs: undefined, unknown: "nobody asked" };

test.each([
  [NAME],
  ["notes-3f2a9c41b07e"],
  ["notes-3f2a9c41b07e.dump.age"],
  [`s3://backups/prod/${NAME}.dump.age`],
  [`${NAME}.manifest.json`],
])("--to %s names the dump", (to) => {
  expect(wantedDump(to, NONE, PLACE).name).toBe(NAME);
});

test("without --to it is the dump of the live release, or the last one that the database has recorded", () => {
  const outputs = (backup: object | null): any => ({ outputs: { backup }, unknown: undefined });
  expect(wantedDump(undefined, outputs({ kind: "dump", id: NAME }), PLACE)).toEqual({ name: NAME, notes: [] });
  expect(wantedDump(undefined, NONE, PLACE)).toMatchObject({ name: undefined, notes: [expect.any(String)] });
  expect(() => wantedDump(undefined, outputs({ kind: "snapshot", id: "s" }), PLACE)).toThrow(
    "took no dump, but the snapshot s",
  );
  expect(() => wantedDump(undefined, outputs(null), PLACE)).toThrow("took no dump.");
});

describe("the key of a dump's file", () => {
  const key = (text: string, name = "key") => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const dump = async () => {
    const pieces = await encrypted(
      (async function* () {
        yield Buffer.from("the archive");
      })(),
      [KEYS[0].recipient],
    );
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    const header = Buffer.concat(all).toString("base64");
    return { location: "s3://b/d.dump.age", recipients: [KEYS[0].recipient], header };
  };

  test("is decrypted by the private key, and by no other", async () => {
    expect(await fileKeyOf(await dump(), key(KEYS[0].identity))).toHaveLength(16);
    const other = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    await expect(fileKeyOf(await dump(), key(other))).rejects.toMatchObject({
      message: expect.stringMatching(/^The private key in .*key is not one of those .*encrypted to: age12gas/),
      database: "the source is untouched; no second database was made.",
    });
    await expect(fileKeyOf(await dump(), undefined)).rejects.toMatchObject({
      next: expect.stringContaining("--identity FILE"),
    });
    await expect(fileKeyOf(await dump(), key("hunter2"))).rejects.toThrow(/no private key of age/);
  });
});

test("the name of a copy is that of its source and the minute, and needs no quotes in SQL", () => {
  const now = new Date("2026-11-30T12:34:56Z");
  expect(databaseCopyName("notes", now, new Set())).toBe("notes_restored_20261130_1234");
  expect(databaseCopyName("notes", now, new Set(["notes_restored_20261130_1234"]))).toBe(
    "notes_restored_20261130_1234b",
  );
  const long = databaseCopyName(`1 Ünique ${"x".repeat(60)}`, now, new Set());
  expect(checkedCopyName(long)).toHaveLength(63);
  for (const name of ["Notes", "a", "notes-1", "notes_", '"; DROP'])
    expect(() => checkedCopyName(name)).toThrow("is no name for the copy");
  expect(labelValue(`${"x".repeat(70)}/notes-`)).toMatch(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
});

test("a comment is a mark only if a restore has written it", () => {
  const mark = { source: "notes", project: "p", stack: "s", dump: NAME, of: "t", begunAt: "t", run: "r" };
  expect(readMark(markText({ ...mark, state: "complete" }))).toEqual({ ...mark, state: "complete" });
  for (const text of [null, "the database of notes", "postgres-release restore {}", "postgres-release restore {"])
    expect(readMark(text)).toBeUndefined();
});

test("the Secret of --into has the key of the migration's own URL, unless it names another", () => {
  const read = (into: string) => readRestoreCommand(["--into", into, "--stack", "prod"], ["prod"]);
  expect(read("notes-copy")).toMatchObject({ into: { secret: "notes-copy", key: "direct-url" } });
  expect(read("notes-copy/url")).toMatchObject({ into: { secret: "notes-copy", key: "url" } });
});
