import type { Migration } from "../../migrations/history/history";
import type { Finding } from "../../review/finding";
import { acknowledgementFor } from "../../review/gate";
import { reviewRelease } from "../../review/review";
import { FileRefused } from "../failures/sql-file";
import type { Run } from "../run";
import { sizesForReview } from "./sizes-for-review";

/**
 * Reviews a file of SQL as if it were the only pending migration, by the migrations and the tables that the database
 * really has, and logs what is found.
 * @returns the acknowledged findings, each with its reason, for the audit trail
 * @throws FileRefused if the stack refuses a finding that nobody has acknowledged
 */
export async function reviewFile(run: Run, applied: readonly Migration[], file: Migration): Promise<string[]> {
  const { refuse, acknowledgements } = run.settings.review;
  const { findings, refused, acknowledged } = reviewRelease({
    history: [...applied, file],
    applied: applied.map(({ name, checksum }) => ({ name, checksum })),
    stats: await sizesForReview(run),
    policy: { refuse },
    acknowledgements,
  });
  // The name of a file has no place in the order of migrations.
  const own = (each: Finding) => each.rule !== "out-of-order";
  for (const each of findings.filter(own))
    run.log.event("review.finding", `Review, line ${each.line}: ${each.what} ${each.who}`, {
      finding: each.id,
      severity: each.severity,
      line: each.line,
    });
  const open = refused.filter(own);
  if (open.length > 0) {
    const options = open.map((each) => `--acknowledge '${JSON.stringify(acknowledgementFor(each))}'`);
    throw new FileRefused(file.name, open.map(describe), options.join(" "));
  }
  return acknowledged.map(({ finding, reason }) => `${finding.id}: ${reason}`);
}

function describe({ id, classes, line, what }: Finding): string {
  return `  line ${line}: ${what} ${id} (${classes.join(", ")})`;
}
