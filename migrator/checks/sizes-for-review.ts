import type { Sizes } from "../../text/table-size";
import type { Run } from "../run";
import { tableSizes } from "./table-sizes";

/**
 * Reads the sizes of all tables; undefined if they can't be measured. The review treats unknown sizes as large, so a
 * failure to measure refuses a migration rather than lets it pass.
 * @throws the error of a connection that was lost, or of a run that was stopped
 */
export async function sizesForReview(run: Run): Promise<Sizes | undefined> {
  try {
    return { tables: await tableSizes(run.session, "all") };
  } catch (error) {
    if (run.session.lost !== undefined || run.signal.aborted) throw error;
    return undefined;
  }
}
