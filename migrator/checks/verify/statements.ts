import { readStatistics } from "../statistics";
import type { VerifyCheck } from "./context";

/**
 * Lists the slowest statements for the report, without findings of its own. The verb `compare` shows later which
 * statements became slower.
 */
export const slowest: VerifyCheck = {
  name: "slowest",
  kind: "data",
  async run({ run: { session } }) {
    const { statements } = await readStatistics(session);
    if (!statements)
      return { findings: [], facts: "skipped: the extension pg_stat_statements is not installed", skipped: true };
    const mean = Object.values(statements)
      .filter(({ calls }) => calls > 0)
      .map(({ query, calls, total }) => ({ query: query.replace(/\s+/g, " "), mean: total / calls }))
      .sort((a, b) => b.mean - a.mean);
    return {
      findings: [],
      facts: mean
        .slice(0, 3)
        .map(({ query, mean: time }) => `${time.toFixed(1)} ms ${query.slice(0, 60)}`)
        .join("; "),
    };
  },
};
