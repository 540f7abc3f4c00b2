import type { Migration } from "../../../migrations/history/history";
import type { CheckNameOf } from "../../../settings/checks";
import type { PlannedEffects } from "../../apply/planned-effects";
import type { Judgement } from "../../records/judgement";
import type { Run } from "../../run";
import type { Check } from "../check";

/** What the checks before a release know. */
export interface PreflightContext {
  readonly run: Run;
  readonly migrations: readonly Migration[];
  readonly judgement: Judgement;
  readonly tableExists: boolean;
  readonly planned: PlannedEffects;
}

/** A check before a release. */
export type PreflightCheck = Check<PreflightContext, CheckNameOf<"preflight">>;
