import * as pulumi from "@pulumi/pulumi";
import { fingerprint } from "../migrations/history/history";
import { formatReview } from "../review/formats";
import { trialLines } from "../review/formats/measured";
import { pendingText } from "../review/formats/pending";
import type { MeasuredOnCopy } from "../review/measured-durations";
import type { PackedHistory } from "../review/packed-history";
import { type Applied, appliedUntil, loadParser, type Review, reviewRelease } from "../review/review";
import type { Trial } from "../review/trial";
import type { Settings } from "../settings/schema";
import { counted } from "../text/counted";
import { refuseContract } from "./contract-refused";
import type { Live } from "./live-release";
import { ReleaseError } from "./release-error";

/**
 * This error reports findings that this environment refuses and that nobody has acknowledged. It is thrown before
 * anything is changed.
 */
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

/** This error reports that `review.since` names no migration of the folder, so the applied ones are unknown. */
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

/**
 * This error reports that an app is taken over whose database has migrations, and that nothing tells which. A review
 * that assumed an empty database would judge every old migration.
 */
export class AppliedUnknown extends ReleaseError {
  override readonly name = "AppliedUnknown";

  constructor(last: string | undefined) {
    super(
      "app.adopt takes over an app whose database has migrations already, and nothing tells which is the last one.\n" +
        "Nothing was touched: database and app are as they were.\n" +
        "Next: ask the database for its name, put it into review.since, and run the same command again:\n" +
        "  SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1" +
        (last === undefined ? "" : `\nThe last one of the folder is ${last}.`),
    );
  }
}

/** This error reports that a program made a `Release` without the review that its settings require. */
export class ReviewMissing extends ReleaseError {
  override readonly name = "ReviewMissing";

  constructor(why: string, refuse: readonly string[]) {
    super(
      `review.refuse in Pulumi.${pulumi.getStack()}.yaml names ${refuse.join(", ")}, but ${why}.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "In the program, give the Release what reviewGate returns for these settings and this history " +
        "(prepareRelease does, see docs/in-your-program.md), and run the same command again.",
    );
  }
}

/** What the review knows besides the text of the migrations. */
export interface ReviewSources {
  /** What a rehearsal of these migrations measured, in place of the estimates. Default: nothing. */
  measured?: MeasuredOnCopy | undefined;
  /** Runs the migrations that are not applied on a server of their own, if that is possible. Default: nobody does. */
  runThem?: (applied: ReadonlySet<string>) => Promise<Trial | undefined>;
}

/**
 * Reviews what the release's migrations would do to production, as far as that is known without the database. The
 * preflight Job reviews them again, by the migrations that the database really has. A preview also names the pending
 * migrations.
 *
 * @param live The result of `liveRelease`. If it has no migration, `review.since` names the last one that the database
 *   has. If that is not set either, the review assumes an empty database and says so in its text.
 * @throws {@link ReviewRefused} that lists everything that the environment refuses
 * @throws {@link AppliedUnknown} when an existing app is taken over and nothing tells what its database has
 * @throws {@link UnknownSince} when `review.since` is needed and names no migration of the folder
 * @throws ContractRefused when a migration has to wait for the rollout and `migrations.runner` is "command"
 */
export async function reviewGate(
  { app, review: policy, migrations: { runner } }: Settings,
  { migrations, heldBack = [], lint }: Pick<PackedHistory, "migrations" | "heldBack" | "lint">,
  live: Live,
  { measured, runThem }: ReviewSources = {},
): Promise<Review> {
  await loadParser();
  const since = live.migration ?? policy.since;
  if (app.adopt && since === undefined) throw new AppliedUnknown(migrations.at(-1)?.name);
  if (live.migration === undefined && since !== undefined && !migrations.some(({ name }) => name === since))
    throw new UnknownSince(since, migrations.at(-1)?.name);
  const applied = since === undefined ? [] : appliedUntil(migrations, since);
  const review = {
    ...reviewRelease({
      history: migrations,
      applied,
      stats: live.sizes,
      measured,
      policy: { refuse: policy.refuse },
      acknowledgements: policy.acknowledgements,
      runner,
      ...(lint && { lint }),
      trial: await runThem?.(new Set(applied.map(({ name }) => name))),
    }),
    ...assumption({ since, applied, live, heldBack }),
  };
  // A preview names the migrations also if it ends here. `up` reports each one when it is applied.
  if (pulumi.runtime.isDryRun()) void pulumi.log.info(pendingText(review));
  if (review.refused.length > 0) throw new ReviewRefused(review);
  if (runner === "command") refuseContract(review);
  return review;
}

/**
 * Reviews the migrations after one that the database had earlier, for a message. It refuses nothing.
 *
 * @param since the last migration that the database had; null: none
 */
export async function reviewSince(
  { migrations: { runner } }: Pick<Settings, "migrations">,
  { migrations }: Pick<PackedHistory, "migrations">,
  since: string | null,
): Promise<Review> {
  await loadParser();
  const applied = since === null ? [] : appliedUntil(migrations, since);
  return reviewRelease({ history: migrations, applied, runner });
}

/** Returns the text of the review's assumption, if the outputs don't show for certain which migrations are applied. */
function assumption({
  since,
  applied,
  live,
  heldBack,
}: {
  since: string | undefined;
  applied: readonly Required<Applied>[];
  live: Live;
  heldBack: readonly string[];
}): Partial<Review> {
  const judges = "the preflight Job judges by what the database really has";
  // An acknowledgement that matches no finding here may match one that only the preflight Job makes, so none is
  // reported as without effect.
  if (since === undefined)
    return {
      assumes: `nothing tells which release is live, so this assumes an EMPTY database. If it isn't, name its last migration in review.since to see the right review here; ${judges}`,
      void: [],
    };
  if (live.migration === undefined)
    return { assumes: `by review.since, the database has the migrations up to ${since}; ${judges}` };
  if (live.migration !== undefined && heldBack.includes(live.migration))
    return {
      assumes: `this release goes back to the schema of ${applied.at(-1)?.name}: the live release has migrations up to ${live.migration}, and migrations.until holds back ${counted(heldBack.length, "migration")} of the folder. The database that it goes to must not have them, and the preflight Job sees to that`,
      void: [],
    };
  if (live.fingerprint === undefined || fingerprint(applied) === live.fingerprint) return {};
  return {
    assumes: `the folder's migrations up to ${since} are not those of the live release, and all count as applied here; ${judges}`,
    void: [],
  };
}

/**
 * Checks the review that a `Release` is given.
 *
 * @throws {@link ReviewMissing} when the settings refuse something and the review is missing or is one of other
 *   settings or migrations
 * @throws {@link ReviewRefused} when the review has refused findings
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
 * Shows the review's findings. A preview shows them at the given resource. `up` shows them without a resource, because
 * Pulumi holds back a message about a resource, and all later messages, until the resource is created, and drops them
 * if that fails.
 */
export function showReview(review: Review, resource: pulumi.Resource): void {
  const told = review.findings.some(({ severity }) => severity !== "info") || review.void.length > 0;
  const where = pulumi.runtime.isDryRun() ? resource : undefined;
  if (told) void pulumi.log.warn(formatReview(review, "text").trimEnd(), where);
  else if (review.assumes !== undefined) void pulumi.log.info(`The review: ${review.assumes}.`, where);
  // The text of the review contains what the run has shown. A review without findings has no text.
  const run = told ? [] : trialLines(review);
  if (run.length > 0) void pulumi.log.info(run.join("\n"), where);
}
