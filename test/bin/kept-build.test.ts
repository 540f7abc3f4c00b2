import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const { keep, kept } = createRequire(__filename)("../../bin/kept-build.cjs");

describe("a kept build", () => {
  let root: string;
  let file: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "kept-build-"));
    file = join(root, "cache/program.cjs");
    writeFileSync(join(root, "source.ts"), "a");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("is returned as it was kept, after a line of stamps", () => {
    const whole = keep(root, file, ["source.ts"], "the program\n");
    expect(whole.slice(whole.indexOf("\n") + 1)).toBe("the program\n");
    expect(kept(root, file)).toBe(whole);
    expect(readFileSync(file, "utf8")).toBe(whole);
    expect(readdirSync(join(root, "cache"))).toEqual(["program.cjs"]);
  });

  test.each([
    ["a source has another size", () => writeFileSync(join(root, "source.ts"), "ab")],
    ["a source has another time", () => utimesSync(join(root, "source.ts"), 1, 1)],
    ["a source is gone", () => rmSync(join(root, "source.ts"))],
    ["the file is damaged", () => writeFileSync(file, "damaged")],
  ])("is not returned if %s", (_, change) => {
    keep(root, file, ["source.ts"], "the program\n");
    change();
    expect(kept(root, file)).toBeUndefined();
  });

  test("is returned to its builder also where nothing can be written", () => {
    writeFileSync(join(root, "cache"), "a file where the folder should be");
    expect(keep(root, file, ["source.ts"], "the program\n")).toMatch(/\nthe program\n$/);
    expect(kept(root, file)).toBeUndefined();
  });
});
