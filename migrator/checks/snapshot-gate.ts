import type { RecordedBackup } from "../../report/contract";
import { CHECKS } from "../../settings/checks";
import { formatDuration } from "../../text/short-duration";
import { OtherDatabase, SnapshotGone, SnapshotTooOld } from "../failures/usage";
import { recordedBackup } from "../records/release-records";
import type { Run } from "../run";
import type { ProtectingBackup, Settings } from "../settings";
import { compareEndpoints } from "./same-database";

/**
 * Checks that the backup is recent enough. A release that is resumed later must not rely on its old backup, because
 * going back to it would lose what was written since. The age counts from the completion of the backup, because a
 * large one takes hours.
 * @param pending the number of pending migrations
 * @param now the present time, in milliseconds since 1970
 * @throws SnapshotTooOld if something is pending and the backup is older than the setting allows
 * @throws SnapshotGone if something is pending and the backup was deleted
 */
export function checkSnapshot(snapshot: Settings["snapshot"], pending: number, now: number = Date.now()): void {
  if (!snapshot || pending === 0) return;
  if (snapshot.taken === "gone") throw new SnapshotGone(snapshot, pending);
  const age = now - snapshot.taken.completedAt.getTime();
  if (age > snapshot.maxAge)
    throw new SnapshotTooOld(snapshot, formatDuration(age), formatDuration(snapshot.maxAge), pending);
}

/**
 * Returns the backup that protects the run. The Job of a dump or a branch has recorded it in the database, with the time at which it
 * was really taken: the Job may have run again and found the backup of an earlier run. Without a record, which the role
 * may not be allowed to keep, the times are those of the Job.
 */
export async function protectingBackup({
  settings: { snapshot },
  records,
}: Run): Promise<{ backup: ProtectingBackup; recorded: RecordedBackup | undefined } | undefined> {
  if (!snapshot) return undefined;
  const recorded = snapshot.kind === "snapshot" ? undefined : await recordedBackup(records, snapshot.kind, snapshot.id);
  if (!recorded) return { backup: snapshot, recorded };
  const taken = { createdAt: new Date(recorded.createdAt), completedAt: new Date(recorded.completedAt) };
  return { backup: { ...snapshot, taken }, recorded };
}

/**
 * Checks that the connection still leads to the database that the snapshot is of. Preflight has checked that, but the
 * Secret may have changed since, or preflight may have succeeded in an earlier try of the same release.
 * @throws OtherDatabase if something is pending, and the check `same-database` is set to `fail` and finds another
 */
export async function checkSnapshotDatabase({ session, settings }: Run, pending: number): Promise<void> {
  const { snapshot, snapshotEndpoints: endpoints, levels } = settings;
  const level = levels["same-database"] ?? CHECKS["same-database"].level;
  if (!snapshot || pending === 0 || endpoints.length === 0 || level !== "fail") return;
  const { same, evidence } = await compareEndpoints(session, endpoints);
  if (!same) throw new OtherDatabase(snapshot.id, evidence);
}
