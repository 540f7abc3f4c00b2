import { fingerprint, type Migration } from "../../migrations/history/history";
import { counted } from "../../text/counted";
import { writeReviewProof } from "../proof-file";
import type { Review } from "../review";

/** Whether the proof of a review was written or is not needed, and the line that says so. */
export interface ProofOutcome {
  readonly proved: boolean;
  readonly line: string;
}

/**
 * Writes the proof that a review has run the migrations on a real Postgres and refuses nothing, which `policy.proof` asks
 * for. It is not written if they didn't run to their end.
 *
 * @param directory the folder of Pulumi.yaml
 * @param history the migrations of the release
 * @throws the system's error if the file can't be written
 */
export function proveReview(
  directory: string,
  stack: string,
  history: readonly Migration[],
  review: Review,
): ProofOutcome {
  const names = review.migrations.map(({ name }) => name);
  if (names.length === 0) return { proved: true, line: "No proof is needed: no migration is new." };
  const { postgres } = review.trial ?? {};
  const why = whyUnproved(review);
  if (why !== undefined || postgres === undefined) return { proved: false, line: `No proof was written: ${why}.` };
  const path = writeReviewProof(directory, {
    kind: "review",
    fingerprint: fingerprint(history),
    stack,
    at: new Date().toISOString(),
    postgres,
    migrations: names,
  });
  return { proved: true, line: `Proof of ${counted(names.length, "migration")} on Postgres ${postgres}: ${path}` };
}

function whyUnproved({ trial, refused }: Review): string | undefined {
  if (trial?.postgres === undefined) return `the migrations were not run: ${trial?.unavailable ?? "nothing ran them"}`;
  if (trial.findings.some(({ rule }) => rule === "fails-when-run")) return "a migration failed when it was run";
  return refused.length > 0
    ? `${counted(refused.length, "finding is", "findings are")} refused, and must be fixed or acknowledged first`
    : undefined;
}
