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
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const checkout = resolve(__dirname, "../../..");

function run(root: string, ...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, "review/cli/start.cjs"), ...args], { cwd: root });
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

/** Of the review's own file: the folders of its sources, and the packages in it. */
function bundledFiles(): { folders: string[]; packages: string[] } {
  const { metafile } = buildSync({
    absWorkingDir: checkout,
    entryPoints: ["review/cli/main.ts"],
    bundle: true,
    platform: "node",
    external: ["squawk-cli", "libpg-query", "postgres-grammar"],
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const names = Object.keys(metafile.inputs).map((file) => file.split("/"));
  const first = (from: string[][], at: number) => [...new Set(from.map((parts) => parts[at]!))];
  const isPackage = (parts: string[]) => parts[0] === "node_modules";
  return {
    folders: first(
      names.filter((parts) => !isPackage(parts)),
      0,
    ),
    packages: first(names.filter(isPackage), 1),
  };
}

describe("npm run review", () => {
  let root: string;
  let cache: string;
  const migrations = () => ["--migrations", join(root, "history"), "--no-squawk"];
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "review start "));
    for (const folder of ["migrations", "review", "settings", "text"])
      cpSync(join(checkout, folder), join(root, folder), { recursive: true });
    cpSync(join(checkout, "tsconfig.json"), join(root, "tsconfig.json"));
    mkdirSync(join(root, "node_modules"));
    for (const entry of readdirSync(join(checkout, "node_modules")))
      if (!entry.startsWith(".")) symlinkSync(join(checkout, "node_modules", entry), join(root, "node_modules", entry));
    cache = join(root, "node_modules/.cache/review");
    mkdirSync(join(root, "history/20240101000000_a"), { recursive: true });
    writeFileSync(join(root, "history/20240101000000_a/migration.sql"), "CREATE TABLE a (id INT PRIMARY KEY);\n");
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("two at once make its file, and both review", async () => {
    const both = await Promise.all([run(root, ...migrations()), run(root, ...migrations())]);
    for (const { status, out, err } of both)
      expect([status, err, out.split("\n")[0]]).toEqual([0, "", expect.stringMatching(/^Safe to release/)]);
    expect(
      readdirSync(cache)
        .map((name) => name.replace(/^\w+/, ""))
        .sort(),
    ).toEqual([".cjs", ".v8"]);
  });

  test("follows every change of its sources, and keeps one file only", async () => {
    const source = join(root, "review/formats/rows.ts");
    writeFileSync(source, readFileSync(source, "utf8").replace("Safe to release", "Nothing to fear"));
    expect((await run(root, ...migrations())).out).toMatch(/^Nothing to fear/);
    expect(readdirSync(cache)).toHaveLength(2);
  });

  test("passes over what is damaged", async () => {
    const { out } = await run(root, ...migrations());
    for (const name of readdirSync(cache)) if (name.endsWith(".v8")) writeFileSync(join(cache, name), "damaged");
    expect(await run(root, ...migrations())).toEqual({ status: 0, out, err: "" });
  });

  test("that breaks down does not look like one with warnings", async () => {
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
      expect.stringMatching(/^A package is missing \(.*\). Install all: npm ci\nNothing was rev/),
    ]);
  });

  test("is made anew when any file that it is made of changes", () => {
    const files = bundledFiles();
    const text = readFileSync(join(checkout, "review/cli/start.cjs"), "utf8");
    const named = (list: string) => JSON.parse(new RegExp(`const ${list} = (\\[.*\\]);`).exec(text)![1]!) as string[];
    expect(named("folders")).toEqual(expect.arrayContaining(files.folders));
    expect(named("packages")).toEqual(expect.arrayContaining(files.packages));
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
