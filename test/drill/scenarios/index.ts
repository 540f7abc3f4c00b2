import type { Scenario } from "../scenario";
import { backups } from "./backup";
import { killed } from "./killed";
import { migrations, preflight } from "./migration";
import { rehearsals } from "./rehearsal";
import { restores } from "./restore";
import { review } from "./review";
import { rollouts } from "./rollout";

/** Every failure that the drill plays, in the order of docs/recovery.md. */
export const SCENARIOS: readonly Scenario[] = [
  ...review,
  ...preflight,
  ...backups,
  ...rehearsals,
  ...migrations,
  ...rollouts,
  ...killed,
  ...restores,
];
