import type { Action } from "./action";
import { changeActions } from "./changes";
import { readActions } from "./reads";
import { restoreActions } from "./restores";
import { snapshotActions } from "./snapshots";

/** The actions of RDS' API that the local cloud has, by their names. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  ...readActions,
  ...snapshotActions,
  ...restoreActions,
  ...changeActions,
};
