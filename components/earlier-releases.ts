import type { Live } from "./live-release";
import type { EarlierRelease } from "./release-outputs";

/** The number of earlier releases that a release names in its outputs. */
const KEPT = 10;

/**
 * Returns the releases that were live before this one, the newest first. A release that is repeated keeps those that it
 * knew, because it is itself what is live.
 */
export function earlierReleases(live: Live, releaseId: string): EarlierRelease[] {
  const { before = [], image, migration } = live;
  if (live.releaseId === undefined || image === undefined) return [];
  if (live.releaseId === releaseId) return [...before];
  const lastMigration = migration ?? null;
  const others = before.filter((each) => each.releaseId !== live.releaseId && each.releaseId !== releaseId);
  return [{ releaseId: live.releaseId, image, lastMigration }, ...others].slice(0, KEPT);
}
