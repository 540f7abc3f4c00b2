import type { Scenario } from "../scenario";
import { accounts } from "./accounts";
import { adoption } from "./adoption";
import { databaseAccess } from "./database-access";
import { failures } from "./failures";
import { interventions } from "./interventions";
import { ops } from "./ops";
import { pods } from "./pods";
import { recovery } from "./recovery";
import { destroy, releases } from "./releases";
import { scaling } from "./scaling";

export const scenarios: Scenario[] = [
  ...releases,
  ...scaling,
  ...accounts,
  ...failures,
  ...interventions,
  ...pods,
  ...ops,
  ...databaseAccess,
  ...recovery,
  ...destroy,
  ...adoption,
];
