import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { reviewExample, ruleTexts } from "../../review/catalogue";
import { loadParser } from "../../review/review";
import { rules } from "../../review/rules";
import { schemaRules } from "../../review/rules/schema";
import { trialRules } from "../../review/rules/trial";

beforeAll(() => loadParser());

/** What no rule has an example for: they are about the folder, the Prisma schema or a run, not about SQL alone. */
const aboutFolder = [
  "edited",
  "missing",
  "out-of-order",
  "after-contract",
  ...Object.keys(schemaRules),
  ...Object.keys(trialRules),
];

/** Ways of writing that people stumbled over. */
const unclear =
  /\b(It|it) (adds|drops|takes|lets|makes|turns|deletes|renames)\b|to whom|for good|a moment|the app waits|need not know|what it holds|goes on\b|Everybody|\b1 \w+s are\b/i;

test("every rule that has a file is asked", async () => {
  const folder = join(__dirname, "../../review/rules");
  const files = readdirSync(folder).filter((name) => name !== "index.ts");
  const exported = await Promise.all(files.map(async (name) => Object.values(await import(join(folder, name)))));
  const found = exported.flat().filter((each) => typeof each === "object" && each !== null && "finds" in each);
  expect(found.length).toBeGreaterThan(50);
  expect(new Set(found)).toEqual(new Set(rules));
});

test("no kind of finding belongs to two rules", () => {
  const ids = rules.flatMap(({ finds }) => Object.keys(finds));
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

describe.each([...ruleTexts].filter(([id]) => !aboutFolder.includes(id)))("%s", (id, { bad, good, classes }) => {
  test("finds the bad SQL of its documentation, says so plainly, and not of the good SQL", () => {
    const finding = reviewExample(bad).findings.find(({ rule }) => rule === id);
    expect(finding, bad).toBeDefined();
    expect(classes).toEqual(expect.arrayContaining([...(finding?.classes ?? [])]));
    for (const text of [finding?.what, finding?.who, finding?.howLong, finding?.irreversible, finding?.safe?.note])
      expect(text ?? "").not.toMatch(unclear);
    expect(good ?? finding?.safe, "what to write instead").toBeDefined();
    expect(
      good === undefined
        ? []
        : reviewExample(good).findings.filter(({ rule, severity }) => rule === id && severity !== "info"),
    ).toEqual([]);
  });
});
