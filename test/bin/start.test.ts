import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const checkout = resolve(__dirname, "../..");

function run(root: string, ...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, "bin/start.cjs"), ...args], { cwd: root });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.once("error", fail);
    child.once("close", (status) => done({ status, out, err }));
  });
}

describe("bin/start.cjs", () => {
  let root: string;
  let cache: string;
  const migrations = () => ["review", "--migrations", join(root, "history"), "--no-squawk"];
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "review start "));
    for (const entry of readdirSync(checkout, { withFileTypes: true }))
      if (
        entry.isDirectory() &&
        !entry.name.startsWith(".") &&
        !["docs", "examples", "node_modules", "test"].includes(entry.name)
      )
        cpSync(join(checkout, entry.name), join(root, entry.name), { recursive: true });
    for (const file of ["tsconfig.json", "package-lock.json"]) cpSync(join(checkout, file), join(root, file));
    mkdirSync(join(root, "node_modules"));
    for (const entry of readdirSync(join(checkout, "node_modules")))
      if (!entry.startsWith(".")) symlinkSync(join(checkout, "node_modules", entry), join(root, "node_modules", entry));
    cache = join(root, "node_modules/.cache/start");
    mkdirSync(join(root, "history/20240101000000_a"), { recursive: true });
    writeFileSync(join(root, "history/20240101000000_a/migration.sql"), "CREATE TABLE a (id INT PRIMARY KEY);\n");
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("makes the file of a command once, also for two at once", async () => {
    const both = await Promise.all([run(root, ...migrations()), run(root, ...migrations())]);
    for (const { status, out, err } of both)
      expect([status, err, out.split("\n")[0]]).toEqual([0, "", expect.stringMatching(/^Safe to release/)]);
    expect(readdirSync(cache)).toEqual(["review.cjs"]);
  });

  test("follows every change of the sources, and keeps one file only", async () => {
    const source = join(root, "review/formats/rows.ts");
    writeFileSync(source, readFileSync(source, "utf8").replace("Safe to release", "Nothing to fear"));
    expect((await run(root, ...migrations())).out).toMatch(/^Nothing to fear/);
    expect(readdirSync(cache)).toEqual(["review.cjs"]);
  });

  test("passes over a file that is damaged", async () => {
    const { out } = await run(root, ...migrations());
    writeFileSync(join(cache, "review.cjs"), "damaged");
    expect(await run(root, ...migrations())).toEqual({ status: 0, out, err: "" });
  });

  test("ends a review that breaks down with another status than one with warnings", async () => {
    const source = join(root, "review/formats/rows.ts");
    const text = readFileSync(source, "utf8");
    writeFileSync(source, `throw new Error("on purpose");\n${text}`);
    const thrown = await run(root, ...migrations());
    writeFileSync(source, `this is no TypeScript\n${text}`);
    const unbuilt = await run(root, ...migrations());
    writeFileSync(source, text);
    expect([thrown.status, thrown.err]).toEqual([3, expect.stringContaining("on purpose")]);
    expect([unbuilt.status, unbuilt.err]).toEqual([3, expect.stringContaining("rows.ts")]);
  });

  test("says without a stack trace that a package is missing", async () => {
    const packages = join(root, "node_modules");
    renameSync(packages, `${packages}.away`);
    const { status, err } = await run(root, ...migrations());
    renameSync(`${packages}.away`, packages);
    expect([status, err]).toEqual([
      3,
      expect.stringMatching(/^A package is missing \(.*\). Install all: npm ci\nreview stopped/),
    ]);
  });

  test("starts the migrator too, which says what is wrong without a stack trace", async () => {
    const { status, out, err } = await run(root, "migrator", "--bogus");
    expect([status, err]).toEqual([2, expect.not.stringMatching(/^ {4}at /m)]);
    expect(`${out}${err}`).toContain("--bogus");
  });

  test("names the commands where it is asked for another one", async () => {
    expect(await run(root, "reveiw")).toEqual({
      status: 2,
      out: "",
      err: expect.stringContaining("migrator|ops|restore|review"),
    });
  });

  test("works where nothing can be written", async () => {
    rmSync(join(root, "node_modules/.cache"), { recursive: true });
    // Root may write anywhere: a file in the folder's place stops it too.
    writeFileSync(join(root, "node_modules/.cache"), "");
    chmodSync(join(root, "node_modules"), 0o555);
    const { status, out, err } = await run(root, ...migrations());
    chmodSync(join(root, "node_modules"), 0o755);
    expect([status, err, out]).toEqual([0, "", expect.stringMatching(/^Nothing to fear/)]);
  });
});
