import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ReviewProof, readReviewProof, reviewProofPath, writeReviewProof } from "../../review/proof-file";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "release-proof-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const fingerprint = "0123456789abcdef".repeat(4);
const proof: ReviewProof = {
  ...{ kind: "review", fingerprint, stack: "prod", at: "2026-11-30T10:00:00.000Z" },
  ...{ postgres: "18.4", migrations: ["1_init"] },
};

describe("the proof that a review has run the migrations", () => {
  test("is a file of its own for each stack and each set of migrations", () => {
    const path = writeReviewProof(directory, proof);
    expect(path).toBe(join(directory, ".release/proof/prod-review-0123456789ab.json"));
    expect(readReviewProof(directory, "prod", fingerprint)).toEqual(proof);
    expect(readReviewProof(directory, "staging", fingerprint)).toBeUndefined();
    expect(readReviewProof(directory, "prod", "f".repeat(64))).toBeUndefined();
  });

  test("replaces an earlier one", () => {
    const later = { ...proof, at: "2026-11-30T11:00:00.000Z" };
    writeReviewProof(directory, later);
    expect(readReviewProof(directory, "prod", fingerprint)).toEqual(later);
  });

  test.each([
    ["is cut off", '{"kind": "review"'],
    ["is null", "null"],
    [
      "is of other migrations with the same beginning",
      JSON.stringify({ ...proof, fingerprint: fingerprint.slice(0, 12) }),
    ],
    ["was copied from another stack", JSON.stringify({ ...proof, stack: "staging" })],
  ])("counts for nothing if it %s", (_, text) => {
    writeReviewProof(directory, proof);
    writeFileSync(reviewProofPath(directory, "prod", fingerprint), text);
    expect(readReviewProof(directory, "prod", fingerprint)).toBeUndefined();
  });
});
