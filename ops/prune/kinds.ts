import type { Settings } from "../../settings/schema";
import { pruneBranches, pruneDumps } from "./in-cluster";
import type { Pruner } from "./pruner";
import { pruneSnapshots } from "./snapshots";

/** How old backups are removed, by `backup.mode`; undefined: it makes none. */
export const PRUNERS: Readonly<Record<Settings["backup"]["mode"], Pruner | undefined>> = {
  snapshot: pruneSnapshots,
  dump: pruneDumps,
  branch: pruneBranches,
  none: undefined,
};
