import type { Measurement } from "../report/measurement";
import type { Finding } from "./finding";

/** What was seen when the migrations of a release were run on a server of their own, after the history before them. */
export interface Trial {
  /** The version of the server, such as "18.4"; undefined if the migrations were not run. */
  readonly postgres?: string;
  /** Why the migrations could not be run here; undefined if they were. */
  readonly unavailable?: string;
  /** What they did, each measured; undefined if they did not run to their end. */
  readonly measurement?: Measurement;
  /** What the review could not tell from their text, such as a migration that fails or a lock that it did not foresee. */
  readonly findings: readonly Finding[];
}
