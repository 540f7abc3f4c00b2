import type { Migration } from "../../../migrations/history/history";
import type { MigrationPlan } from "../../../migrations/history/plan";
import type { Catalog, Expectation } from "../../../migrations/schema/expectation";
import type { CheckNameOf } from "../../../settings/checks";
import type { NotRead } from "../../db/safe-read";
import type { Run } from "../../run";
import type { Check } from "../check";
import type { Count } from "../counts";

/** The data that the checks after a deploy use. */
export interface VerifyContext {
  readonly run: Run;
  readonly migrations: readonly Migration[];
  /** The plans of the migrations of this run, or of all applied ones if `verify` is run by itself. */
  readonly plans: readonly MigrationPlan[];
  /** The entries that these migrations promise in the catalog. */
  readonly promises: readonly Expectation[];
  readonly catalog: Catalog;
  /** The quoted names of the tables that these migrations touched. */
  readonly touched: readonly string[];
  /** The sequences that were behind their columns before this run; undefined: unknown. */
  readonly behindBefore: readonly string[] | undefined;
  /** The rows of the touched tables before this run. */
  readonly before: Readonly<Record<string, Count | NotRead>>;
}

/** A check after the migrations of a release. */
export type VerifyCheck = Check<VerifyContext, CheckNameOf<"verify">>;
