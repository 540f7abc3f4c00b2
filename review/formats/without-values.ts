import { copyableSql } from "../../migrations/sql/copyable-sql";
import { maskSql } from "../../migrations/sql/mask-sql";
import type { Finding } from "../finding";
import type { Review } from "../review";

/** Returns the review without the constants of statements, because it is printed to comments, logs and artifacts. */
export function withoutValues(review: Review): Review {
  const shown = new Map(review.findings.map((finding) => [finding, shownFinding(finding)]));
  const of = (finding: Finding) => shown.get(finding) ?? shownFinding(finding);
  return {
    ...review,
    findings: review.findings.map(of),
    refused: review.refused.map(of),
    acknowledged: review.acknowledged.map(({ finding, reason }) => ({ finding: of(finding), reason })),
    ...(review.trial && { trial: { ...review.trial, findings: review.trial.findings.map(of) } }),
    statements: review.statements.map((statement) => ({ ...statement, text: shownText(statement.text) })),
  };
}

/** The largest number of characters of a statement that are shown. An INSERT may have megabytes of rows. */
const LONGEST = 2000;

function shownText(text: string): string {
  return text.length > LONGEST ? `${maskSql(text.slice(0, LONGEST))}…` : maskSql(text);
}

function shownFinding(finding: Finding): Finding {
  const { safe } = finding;
  return safe === undefined ? finding : { ...finding, safe: { ...safe, migrations: safe.migrations.map(copyableSql) } };
}
