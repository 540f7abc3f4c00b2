import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { RECIPE } from "../../bin/bundled";
import { bundleReportReader } from "../../report/reader/bundle";

const root = resolve(__dirname, "../..");

test("every module that decides how a program is built is among those whose change builds it again", () => {
  const callers = execFileSync("git", ["grep", "-lE", 'from "[./]+bin/bundled"', "--", "*.ts", ":!test"], {
    cwd: root,
    encoding: "utf8",
  });
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: callers.trim().split("\n"),
    bundle: true,
    platform: "node",
    packages: "external",
    outdir: "unused",
    write: false,
    metafile: true,
  });
  expect(RECIPE).toEqual(Object.keys(metafile.inputs).sort());
});

test("a kept program is the built one, byte for byte, and names its sources", () => {
  const file = join(root, "node_modules/.cache/bundled/report.cjs");
  const built = bundleReportReader();
  const [stamps = "", ...program] = readFileSync(file, "utf8").split("\n");
  expect(program.join("\n")).toBe(built);
  expect(JSON.parse(stamps.slice(2))).toHaveProperty(["report/reader/main.ts"]);
});
