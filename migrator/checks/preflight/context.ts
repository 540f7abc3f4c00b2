import type { Migration } from "../../../migrations/history/history";
import type { CheckNameOf } from "../../../settings/checks";
import type { PlannedEffects } from "../../apply/planned-effects";
import type { HistoryState } from "../../records/history-state";
import type { Run } from "../../run";
import type { Check } from "../check";

/** The data that the checks before a release use. */
interface PreflightContext {
  readonly run: Run;
  readonly migrations: readonly Migration[];
  readonly historyState: HistoryState;
  readonly tableExists: boolean;
  readonly planned: PlannedEffects;
}

/** A check before a release. */
export type PreflightCheck = Check<PreflightContext, CheckNameOf<"preflight">>;
