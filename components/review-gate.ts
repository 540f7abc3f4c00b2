import * as pulumi from "@pulumi/pulumi";
import { formatReview } from "../migrations/format";
import type { PackedHistory } from "../migrations/pack";
import { appliedUntil, loadParser, type Review, reviewRelease } from "../migrations/review";
import type { Sizes } from "../migrations/size";
import { refuseContract } from "./command-runner";
import { ReleaseError } from "./release-error";
import type { Settings } from "./settings";

/** The release does what this environment refuses, and nobody has acknowledged it. Thrown before anything is touched. */
export class ReviewRefused extends ReleaseError {
  override readonly name = "ReviewRefused";

  constructor(review: Review) {
    super(
      `${formatReview(review, "text").trimEnd()}\n\n` +
        "Refused by review.refuse of this environment. Nothing was touched: database and app are as they were.\n" +
        "Write the migrations as proposed, or acknowledge the findings as shown, and run the same command again.",
    );
  }
}

/**
 * What the release's migrations would do to production.
 *
 * @param live the last migration of the release that is live, and the sizes of its tables; without a migration nothing is
 *   live, and every table is new; without sizes they are unknown, and the review says so
 * @throws {@link ReviewRefused} listing everything that the environment refuses
 * @throws ContractRefused when a migration is to wait for the rollout, and the app image's own command migrates
 */
export async function reviewGate(
  { review: policy, migrations: { runner } }: Settings,
  { migrations, lint }: Pick<PackedHistory, "migrations" | "lint">,
  live: { migration?: string; sizes?: Sizes },
): Promise<Review> {
  await loadParser();
  const since = live.migration ?? policy.since;
  const review = reviewRelease({
    history: migrations,
    applied: since === undefined ? [] : appliedUntil(migrations, since),
    stats: live.sizes,
    policy: { refuse: policy.refuse },
    acknowledgements: policy.acknowledgements,
    runner,
    ...(lint && { lint }),
  });
  if (review.refused.length > 0) throw new ReviewRefused(review);
  if (runner === "command") refuseContract(review);
  return review;
}

/**
 * Shows the findings: in a preview at the resource that would bring them about; in `up` of none, as what is said of one
 * waits, with all that is said after it, until it is made, and is lost when that fails.
 */
export function showReview(review: Review, resource: pulumi.Resource): void {
  const told = review.findings.some(({ severity }) => severity !== "info") || review.void.length > 0;
  if (told) pulumi.log.warn(formatReview(review, "text").trimEnd(), pulumi.runtime.isDryRun() ? resource : undefined);
}
