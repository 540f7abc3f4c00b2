import { formatDuration } from "../../text/short-duration";
import { SnapshotGone, SnapshotTooOld } from "../failures/usage";
import type { Settings } from "../settings";

/**
 * A release that is taken up again later must not rely on its old snapshot: going back to it would lose what was written since.
 * The age counts from the end of the snapshot: a large one takes hours.
 * @throws SnapshotTooOld when something is pending and the snapshot is older than the setting allows
 * @throws SnapshotGone when something is pending and the snapshot was deleted
 */
export function checkSnapshot(snapshot: Settings["snapshot"], pending: number, now: number = Date.now()): void {
  if (!snapshot || pending === 0) return;
  if (snapshot.taken === "gone") throw new SnapshotGone(snapshot.id, pending);
  const age = now - snapshot.taken.completedAt.getTime();
  if (age > snapshot.maxAge)
    throw new SnapshotTooOld(snapshot.id, formatDuration(age), formatDuration(snapshot.maxAge), pending);
}
