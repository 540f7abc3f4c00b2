import type { Finding } from "../../../review/finding";
import { acknowledgementFor } from "../../../review/gate";
import { reviewRelease } from "../../../review/review";
import { counted } from "../../../text/counted";
import { sizesForReview } from "../sizes-for-review";
import type { PreflightCheck } from "./context";

/**
 * Repeats the review of `preview` and `up` with reliable data: the migrations that the database really has, and the
 * present sizes of its tables. The Pulumi program's own review has at best the outputs of the last release, and nothing
 * on the first release of an app that exists already. squawk is not run here.
 */
export const review: PreflightCheck = {
  name: "review",
  kind: "history",
  async run({ run, migrations, historyState: { applied, pending }, planned }) {
    const { refuse, acknowledgements, runner } = run.settings.review;
    if (pending.length === 0) return { findings: [], facts: "nothing is pending" };
    const contract =
      runner === "command" && applied.length > 0 ? planned.plans.find((plan) => plan.contract) : undefined;
    const waits = contract ? [waitsForRollout(contract.name)] : [];
    if (refuse.length === 0) return { findings: waits, facts: "nothing is refused here (review.refuse)" };
    const { refused, acknowledged } = reviewRelease({
      history: migrations,
      applied: applied.map(({ name, checksum }) => ({ name, checksum })),
      stats: await sizesForReview(run),
      policy: { refuse },
      acknowledgements,
      runner,
    });
    return {
      findings: [...waits, ...refused.map(describe)],
      facts: `${refused.length} refused, ${acknowledged.length} acknowledged, of ${counted(pending.length, "pending migration")} after ${applied.length} applied`,
    };
  },
};

function describe(finding: Finding) {
  const { id, classes, migration, line, what, who } = finding;
  const acknowledgement = JSON.stringify(acknowledgementFor(finding));
  return {
    what: `${migration}, line ${line}: ${what}`,
    evidence: [`  ${id} (${classes.join(", ")}) is blocked by \`review.refuse\`, and is not acknowledged.`, `  ${who}`],
    next: `write ${migration} as the review proposes, or add to review.acknowledgements in the stack's settings: - ${acknowledgement}`,
  };
}

function waitsForRollout(migration: string) {
  return {
    what: `${migration} is marked \`-- release: contract\`, and migrations.runner "command" would apply it before the rollout.`,
    evidence: [],
    next: `release without ${migration} first, or set migrations.runner to migrator`,
  };
}
