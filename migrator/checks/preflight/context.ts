import type { Migration } from "../../../migrations/history/history";
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

export type PreflightCheck = Check<PreflightContext>;
