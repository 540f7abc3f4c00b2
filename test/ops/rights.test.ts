import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { README } from "../support/readme";

interface Rule {
  resources: string[];
  verbs: string[];
}

test("the README lists the rights that ops needs, as its Role has them", () => {
  const role = parse(readFileSync(join(__dirname, "../e2e/rbac/ops.yaml"), "utf8")) as { rules: Rule[] };
  const listed = /`npm run ops` needs less: ([^.]+)\./
    .exec(README)![1]!
    .split(";")
    .map((part) => {
      const [verbs = "", resource = ""] = part.replace(/\s+/g, " ").trim().split(" on ");
      return `${resource.toLowerCase()}: ${verbs
        .split(/, | and /)
        .sort()
        .join()}`;
    });
  const granted = role.rules.flatMap(({ resources, verbs }) =>
    resources.map((resource) => `${resource}: ${[...verbs].sort().join()}`),
  );
  expect(listed.sort()).toEqual(granted.sort());
});
