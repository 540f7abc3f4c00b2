import { formatDuration } from "../../text/short-duration";
import { compareStatements, compareTables, readStatistics, type Statistics } from "../checks/statistics";
import { NothingRecorded } from "../failures/resolve";
import { latestRecord } from "../records/release-records";
import type { Run } from "../run";

const SHOWN = 15;

/**
 * Logs which statements became slower since the release, and which tables are read whole more often. It is run after
 * the rollout and changes nothing.
 * @throws NothingRecorded if there are no statistics of a release
 */
export async function compare(run: Run): Promise<void> {
  const { log } = run;
  const recorded = await latestRecord<Statistics>(run.records, "statistics");
  if (!recorded) throw new NothingRecorded();
  const now = await readStatistics(run.session);
  const since = formatDuration(Date.now() - recorded.at.getTime());
  log.event("compare.started", `Since release ${recorded.release ?? "by hand"}, ${since} ago:`, {
    release: recorded.release,
  });
  if (!now.statements)
    log.event(
      "compare.unknown",
      "  mean times: unknown, pg_stat_statements is not installed (CREATE EXTENSION, and shared_preload_libraries)",
    );
  for (const { query, before, after, calls } of compareStatements(recorded.data, now).slice(0, SHOWN)) {
    const was = before === undefined ? "new" : `was ${before.toFixed(2)} ms`;
    const mark = before !== undefined && after > before * 1.5 && after > 1 ? "slower" : "";
    log.event(
      "compare.statement",
      `  ${after.toFixed(2).padStart(9)} ms (${was}) × ${calls} ${mark} ${query.replace(/\s+/g, " ").slice(0, 90)}`,
      { query, before, after, calls },
    );
  }
  const tables = compareTables(recorded.data, now).slice(0, SHOWN);
  for (const { table, before, after, scans } of tables) {
    const was = before === undefined ? "" : ` (was ${Math.round(before * 100)} %)`;
    log.event(
      "compare.table",
      `  ${table}: ${Math.round(after * 100)} % of ${scans} scans read the whole table${was}`,
      { table, before, after, scans },
    );
  }
  if (tables.length === 0) log.event("compare.tables", "  no table is read whole more often than before");
}
