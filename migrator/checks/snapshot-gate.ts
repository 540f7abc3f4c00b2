import { formatDuration } from "../../text/short-duration";
import { SnapshotGone, SnapshotTooOld } from "../failures/usage";
import type { Settings } from "../settings";

/**
 * Checks that the snapshot is recent enough. A release that is resumed later must not rely on its old snapshot, because
 * going back to it would lose what was written since. The age counts from the completion of the snapshot, because a
 * large one takes hours.
 * @param pending the number of pending migrations
 * @param now the present time, in milliseconds since 1970
 * @throws SnapshotTooOld if something is pending and the snapshot is older than the setting allows
 * @throws SnapshotGone if something is pending and the snapshot was deleted
 */
export function checkSnapshot(snapshot: Settings["snapshot"], pending: number, now: number = Date.now()): void {
  if (!snapshot || pending === 0) return;
  if (snapshot.taken === "gone") throw new SnapshotGone(snapshot.id, pending);
  const age = now - snapshot.taken.completedAt.getTime();
  if (age > snapshot.maxAge)
    throw new SnapshotTooOld(snapshot.id, formatDuration(age), formatDuration(snapshot.maxAge), pending);
}
