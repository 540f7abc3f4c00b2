import type { Migration } from "../../../migrations/history/history";
import type { MigrationPlan } from "../../../migrations/history/plan";
import type { Catalog, Expectation } from "../../../migrations/schema/expectation";
import type { CheckNameOf } from "../../../settings/checks";
import type { NotRead } from "../../db/safe-read";
import type { Run } from "../../run";
import type { Check } from "../check";
import type { Count } from "../counts";

/** What the checks after a deploy know. */
export interface VerifyContext {
  readonly run: Run;
  readonly migrations: readonly Migration[];
  /** Of the migrations of this run, or of all when the verb is used alone. */
  readonly plans: readonly MigrationPlan[];
  /** What they promise of the catalog. */
  readonly promises: readonly Expectation[];
  readonly catalog: Catalog;
  /** Tables that these migrations touched, quoted. */
  readonly touched: readonly string[];
  /** Sequences that were behind their columns before this run; undefined: nobody looked. */
  readonly behindBefore: readonly string[] | undefined;
  /** Rows before this run. */
  readonly before: Readonly<Record<string, Count | NotRead>>;
}

/** A check after the migrations of a release. */
export type VerifyCheck = Check<VerifyContext, CheckNameOf<"verify">>;
