import type { Scenario } from "../scenario";
import { backups } from "./backup";
import { killed } from "./killed";
import { migrations, preflight } from "./migration";
import { restores } from "./restore";
import { review } from "./review";
import { rollouts } from "./rollout";

/** Every failure that the drill plays, in the order of docs/recovery.md. */
export const SCENARIOS: readonly Scenario[] = [
  ...review,
  ...preflight,
  ...backups,
  ...migrations,
  ...rollouts,
  ...killed,
  ...restores,
];
