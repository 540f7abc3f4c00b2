import { formatDuration } from "./duration";
import { SnapshotTooOld } from "./failures/usage";
import type { Settings } from "./settings";

/**
 * A release that is taken up again later must not rely on its old snapshot: going back to it would lose what was written since.
 * @throws SnapshotTooOld when something is pending and the snapshot is older than the setting allows
 */
export function checkSnapshot(snapshot: Settings["snapshot"], pending: number, now: number = Date.now()): void {
  if (!snapshot || pending === 0) return;
  const age = now - snapshot.createdAt.getTime();
  if (age > snapshot.maxAge)
    throw new SnapshotTooOld(snapshot.id, formatDuration(age), formatDuration(snapshot.maxAge), pending);
}
