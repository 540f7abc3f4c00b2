import * as pulumi from "@pulumi/pulumi";
import { fingerprint } from "../migrations/history/history";
import { formatReview } from "../review/formats";
import type { PackedHistory } from "../review/packed-history";
import { type Applied, appliedUntil, loadParser, type Review, reviewRelease } from "../review/review";
import type { Settings } from "../settings/schema";
import { refuseContract } from "./command-runner";
import type { Live } from "./live-release";
import { ReleaseError } from "./release-error";

/** The release does what this environment refuses, and nobody has acknowledged it. Thrown before anything is touched. */
export class ReviewRefused extends ReleaseError {
  override readonly name = "ReviewRefused";

  constructor(review: Review) {
    super(
      `${formatReview(review, "text").trimEnd()}\n\n` +
        `Blocked by \`review.refuse\` in Pulumi.${pulumi.getStack()}.yaml. Nothing was touched: database and app are as they were.\n` +
        "Write the migrations as proposed, or acknowledge the findings as shown, and run the same command again.",
    );
  }
}

/** `review.since` names no migration: everything, or nothing, would count as applied. */
export class UnknownSince extends ReleaseError {
  override readonly name = "UnknownSince";

  constructor(since: string, last: string | undefined) {
    super(
      `review.since is ${JSON.stringify(since)}, which is no migration of the folder${last === undefined ? "" : ` (its last one is ${last})`}.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "Correct review.since in the stack's settings and run the same command again.",
    );
  }
}

/** A program made a `Release` without the review that its settings ask for. */
export class ReviewMissing extends ReleaseError {
  override readonly name = "ReviewMissing";

  constructor(why: string, refuse: readonly string[]) {
    super(
      `review.refuse in Pulumi.${pulumi.getStack()}.yaml names ${refuse.join(", ")}, but ${why}.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "In the program, give the Release what reviewGate returns for these settings and this history " +
        '(README, "Add the release to a Pulumi program that you already have"), and run the same command again.',
    );
  }
}

/**
 * What the release's migrations would do to production, as far as can be told without the database. The preflight Job
 * judges again, by the migrations that the database really has.
 *
 * @param live from `liveRelease`; without a migration `review.since` says what the database has, and without that
 *   everything is judged as if the database were empty, which the review says; without sizes they are unknown
 * @throws {@link ReviewRefused} listing everything that the environment refuses
 * @throws {@link UnknownSince} when `review.since` is needed, and names no migration of the folder
 * @throws ContractRefused when a migration is to wait for the rollout, and the app image's own command migrates
 */
export async function reviewGate(
  { review: policy, migrations: { runner } }: Settings,
  { migrations, lint }: Pick<PackedHistory, "migrations" | "lint">,
  live: Live,
): Promise<Review> {
  await loadParser();
  const since = live.migration ?? policy.since;
  if (live.migration === undefined && since !== undefined && !migrations.some(({ name }) => name === since))
    throw new UnknownSince(since, migrations.at(-1)?.name);
  const applied = since === undefined ? [] : appliedUntil(migrations, since);
  const review = {
    ...reviewRelease({
      history: migrations,
      applied,
      stats: live.sizes,
      policy: { refuse: policy.refuse },
      acknowledgements: policy.acknowledgements,
      runner,
      ...(lint && { lint }),
    }),
    ...assumption(since, applied, live),
  };
  if (review.refused.length > 0) throw new ReviewRefused(review);
  if (runner === "command") refuseContract(review);
  return review;
}

/** Where the outputs don't tell for certain which migrations the database has: what is assumed, for people. */
function assumption(since: string | undefined, applied: readonly Required<Applied>[], live: Live): Partial<Review> {
  const judges = "the preflight Job judges by what the database really has";
  // An acknowledgement that the review can't place may be about what only the preflight Job finds.
  if (since === undefined)
    return {
      assumes: `nothing tells which release is live, so this assumes an EMPTY database. If it isn't, name its last migration in review.since to see the right review here; ${judges}`,
      void: [],
    };
  if (live.migration === undefined)
    return { assumes: `by review.since, the database has the migrations up to ${since}; ${judges}` };
  if (live.fingerprint === undefined || fingerprint(applied) === live.fingerprint) return {};
  return {
    assumes: `the folder's migrations up to ${since} are not those of the live release, and all count as applied here; ${judges}`,
    void: [],
  };
}

/**
 * What a `Release` asks of the review it is given.
 * @throws {@link ReviewMissing} when the settings refuse something, and it is no review of these settings and migrations
 */
export function requireReview(
  { review: { refuse } }: Settings,
  { migrations }: Pick<PackedHistory, "migrations">,
  review: Review | undefined,
): void {
  if (refuse.length === 0) return;
  if (!review) throw new ReviewMissing("the Release was given no review", refuse);
  if (review.refused.length > 0) throw new ReviewRefused(review);
  if (refuse.some((each) => !review.policy.refuse.includes(each)))
    throw new ReviewMissing("the Release was given a review made with other settings", refuse);
  if (review.migrations.length + review.before !== migrations.length)
    throw new ReviewMissing("the Release was given a review of another history", refuse);
}

/**
 * Shows the findings: in a preview at the resource that would bring them about; in `up` of none, as what is said of one
 * waits, with all that is said after it, until it is made, and is lost when that fails.
 */
export function showReview(review: Review, resource: pulumi.Resource): void {
  const told = review.findings.some(({ severity }) => severity !== "info") || review.void.length > 0;
  const where = pulumi.runtime.isDryRun() ? resource : undefined;
  if (told) void pulumi.log.warn(formatReview(review, "text").trimEnd(), where);
  else if (review.assumes !== undefined) void pulumi.log.info(`The review: ${review.assumes}.`, where);
}
