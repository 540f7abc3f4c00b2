import type { AppSettings } from "../settings/schema";

type StrategySettings = Pick<AppSettings, "strategy" | "maxSurge" | "maxUnavailable">;

/** Returns how a Deployment replaces its old pods. */
export function updateStrategy({ strategy, maxSurge, maxUnavailable }: StrategySettings) {
  return strategy === "recreate"
    ? { type: "Recreate" }
    : { type: "RollingUpdate", rollingUpdate: { maxUnavailable, maxSurge } };
}

/**
 * Returns how many pods a PodDisruptionBudget lets go at once: as many as a rollout may take, but at least one. With 0
 * no node under such a pod could ever be drained.
 */
export function disruptionsAllowed({ maxUnavailable }: StrategySettings): number | string {
  return maxUnavailable === 0 || maxUnavailable === "0%" ? 1 : maxUnavailable;
}
