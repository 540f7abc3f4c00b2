import { expect, test } from "vitest";
import type { ReleaseFacts } from "../../../by-hand/release-facts";
import { chosenImage } from "../../../restore/switch/chosen-image";

const outputs = {
  ...{ releaseId: "3", image: "notes:3", migrations: { last: "3_bad", count: 3, fingerprint: "f" } },
  before: [
    { releaseId: "2", image: "notes:2", lastMigration: "2_good" },
    { releaseId: "1", image: "notes:1", lastMigration: "2_good" },
  ],
};
const facts = { outputs, unknown: undefined } as unknown as ReleaseFacts;

test("the image of a copy is that of the newest release with its schema", () => {
  expect(chosenImage(facts, "2_good", undefined)).toEqual({
    image: "notes:2",
    why: "of release 2, the last one with this schema",
  });
  expect(chosenImage(facts, "3_bad", undefined).why).toBe("of release 3, which is live");
  expect(chosenImage(facts, "2_good", "notes:9")).toEqual({ image: "notes:9", why: "as --image says" });
});

test("an image that nothing tells must be given", () => {
  expect(() => chosenImage(facts, "0_old", undefined)).toThrow("No release that the stack's outputs name had");
  const unknown = { outputs: undefined, unknown: "the Pulumi CLI is not on PATH" };
  expect(() => chosenImage(unknown, "0_old", undefined)).toThrow(/isn't known .* the Pulumi CLI is not on PATH/);
});
