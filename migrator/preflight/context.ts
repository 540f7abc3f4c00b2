import type { Migration } from "../../migrations/history";
import type { Check } from "../finding";
import type { Judgement } from "../judgement";
import type { PlannedEffects } from "../planned-effects";
import type { Run } from "../run";

/** What the checks before a release know. */
export interface PreflightContext {
  readonly run: Run;
  readonly migrations: readonly Migration[];
  readonly judgement: Judgement;
  readonly tableExists: boolean;
  readonly planned: PlannedEffects;
}

export type PreflightCheck = Check<PreflightContext>;
