import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "../text/make-folder";

/** What `npm run review -- --run --proof` leaves behind when the migrations ran on a real Postgres and nothing was refused. */
export interface ReviewProof {
  readonly kind: "review";
  /** The sha-256 of the names and contents of all migrations, as in the outputs of a release. It proves only these. */
  readonly fingerprint: string;
  /** The stack whose settings decided what is refused. */
  readonly stack: string;
  /** The time at which the review ended, ISO 8601. */
  readonly at: string;
  /** The version of the server on which they ran, such as "18.4". */
  readonly postgres: string;
  /** The names of the migrations that were run. */
  readonly migrations: readonly string[];
}

/**
 * Returns the path of a stack's proof for some migrations. Beside Pulumi.yaml, `.release` is the folder for what this
 * project writes and nobody commits.
 *
 * @param directory the folder of Pulumi.yaml
 */
export function reviewProofPath(directory: string, stack: string, fingerprint: string): string {
  return join(directory, ".release", "proof", `${stack}-review-${fingerprint.slice(0, 12)}.json`);
}

/**
 * Writes the proof as a whole or not at all, in place of an earlier one for the same stack and migrations.
 *
 * @param directory the folder of Pulumi.yaml
 * @returns the path of the file
 * @throws the system's error if it can't be written
 */
export function writeReviewProof(directory: string, proof: ReviewProof): string {
  const path = reviewProofPath(directory, proof.stack, proof.fingerprint);
  makeFolder(dirname(path));
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(proof, undefined, 2)}\n`);
  renameSync(draft, path);
  return path;
}

/**
 * Reads the proof of a stack for these very migrations.
 *
 * @param directory the folder of Pulumi.yaml
 * @returns undefined if there is none, or if the file is not the proof that its name promises
 */
export function readReviewProof(directory: string, stack: string, fingerprint: string): ReviewProof | undefined {
  let proof: Partial<ReviewProof> | null;
  try {
    proof = JSON.parse(readFileSync(reviewProofPath(directory, stack, fingerprint), "utf8")) as typeof proof;
  } catch {
    return undefined;
  }
  const isOfThese = proof?.kind === "review" && proof.stack === stack && proof.fingerprint === fingerprint;
  return isOfThese ? (proof as ReviewProof) : undefined;
}
