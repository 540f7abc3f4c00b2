import type { Scenario } from "../scenario";
import { adoption } from "./adoption";
import { failures } from "./failures";
import { interventions } from "./interventions";
import { pods } from "./pods";
import { destroy, releases } from "./releases";

export const scenarios: Scenario[] = [...releases, ...failures, ...interventions, ...pods, ...destroy, ...adoption];
