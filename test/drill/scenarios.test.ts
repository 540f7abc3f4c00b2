import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SCENARIOS } from "./scenarios";

test("the drill plays the failures of docs/recovery.md, in their order, and no others", () => {
  const page = readFileSync(join(__dirname, "../../docs/recovery.md"), "utf8");
  const section = page.slice(page.indexOf("## Every failure, rehearsed"));
  const rows = [...section.matchAll(/^\| ([^|]+?) \|/gm)].map(([, name]) => name!.trim());
  expect(rows.slice(1)).toEqual(SCENARIOS.map(({ name }) => name));
});
