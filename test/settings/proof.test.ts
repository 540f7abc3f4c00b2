import { expect, test } from "vitest";
import { parseSettings } from "../../settings/parse";

const BASE = {
  app: { name: "notes", image: "notes:1" },
  database: { secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
};
const problems = (policy: object, more: object = {}) =>
  parseSettings({
    ...BASE,
    policy: { backup: "optional", ...policy },
    backup: { mode: "none" },
    ...more,
  }).problems.join("\n");

test("the proofs of a policy need what they are about", () => {
  expect(problems({ proof: ["review", "staging"], staging: "organization/notes/staging" })).toBe("");
  expect(problems({ proof: ["staging"] })).toContain("policy.staging is missing");
  expect(problems({ staging: "organization/notes/staging" })).toContain(
    "left out, because policy.proof doesn't name staging",
  );
  expect(problems({ proof: ["staging"], staging: "staging" })).toContain("the full name of a stack");
  expect(problems({ proof: ["a test"] })).toContain("policy.proof");
  expect(problems({ proof: ["rehearsal"] })).toContain('without "rehearsal", because backup.mode is "none"');
});
