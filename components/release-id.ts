import { createHash } from "node:crypto";
import { decidingSettings } from "../settings/keys";
import type { Settings } from "../settings/schema";

/** Hexadecimal digits of an id: 48 bits, far beyond the releases of one app. */
const LENGTH = 12;

/**
 * The id of the release that these settings and migrations make: the start of a sha-256 over what decides it. The same id
 * means that there is nothing to do.
 * @param settings of which those count that `settings/sections/` marks with `decidesRelease`
 * @param fingerprint sha-256 of the migrations' names and contents; where the folder lies decides nothing
 */
export function releaseIdOf(settings: Settings, fingerprint: string): string {
  const deciding = canonical({ settings: decidingSettings(settings), migrations: fingerprint });
  return createHash("sha256").update(deciding).digest("hex").slice(0, LENGTH);
}

/**
 * The identifier of the release's snapshot: `notes-db-3f2a9c41b07e`, with `-2` and so on from the second attempt.
 * Named by the migrations alone, so that a release of only a new image takes none.
 * At most 60 characters: RDS allows 63 for cluster snapshots, and `chooseSnapshot` may add `-r2`.
 */
export function snapshotIdentifier(database: string, migrationsFingerprint: string, attempt: number): string {
  const suffix = `-${migrationsFingerprint.slice(0, LENGTH)}${attempt > 1 ? `-${attempt}` : ""}`;
  const stem = database
    .toLowerCase()
    .slice(0, 60 - suffix.length)
    .replace(/-+$/, "");
  return stem + suffix;
}

/** A value as JSON with its keys in order, so that equal values have one text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
