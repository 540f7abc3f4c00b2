import type { Migration } from "../../../migrations/history/history";
import type { CheckNameOf } from "../../../settings/checks";
import type { PlannedEffects } from "../../apply/planned-effects";
import type { HistoryState } from "../../records/history-state";
import type { Run } from "../../run";
import type { Check } from "../check";
import type { HotfixLook } from "../hotfix/look";

/** The data that the checks before a release use. */
interface PreflightContext {
  readonly run: Run;
  readonly migrations: readonly Migration[];
  readonly historyState: HistoryState;
  readonly tableExists: boolean;
  /** The effects of the pending migrations, without the hotfixes that are only recorded. */
  readonly planned: PlannedEffects;
  /** What the database has of each pending hotfix. */
  readonly hotfixes: readonly HotfixLook[];
}

/** A check before a release. */
export type PreflightCheck = Check<PreflightContext, CheckNameOf<"preflight">>;
