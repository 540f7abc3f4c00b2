import { createHash } from "node:crypto";
import { FINGERPRINT_DIGITS } from "../backup/names";
import { decidingSettings } from "../settings/keys";
import type { Settings } from "../settings/schema";

/** The number of hexadecimal digits of an id. They are 48 bits, so two releases of one app hardly ever share an id. */
const LENGTH = 12;

/**
 * Returns the id of the release that these settings and migrations make. It is the start of a sha-256 over them. If the
 * id is unchanged, there is nothing to release.
 *
 * @param settings All settings. Only those that `settings/sections/` marks with `decidesRelease` count.
 * @param fingerprint The sha-256 of the migrations' names and contents. The path of the folder doesn't count.
 */
export function releaseIdOf(settings: Settings, fingerprint: string): string {
  const deciding = canonical({ settings: decidingSettings(settings), migrations: fingerprint });
  return createHash("sha256").update(deciding).digest("hex").slice(0, LENGTH);
}

/**
 * Returns the identifier of the release's snapshot, such as `notes-db-3f2a9c41b07e`, with `-2` and so on from the
 * second attempt. It depends on the migrations only, so that a release of only a new image takes no snapshot. It has at
 * most 60 characters, because RDS allows 63 for cluster snapshots and `chooseSnapshot` may add `-r2`.
 */
export function snapshotIdentifier(database: string, migrationsFingerprint: string, attempt: number): string {
  const suffix = `-${migrationsFingerprint.slice(0, FINGERPRINT_DIGITS)}${attempt > 1 ? `-${attempt}` : ""}`;
  const stem = database
    .toLowerCase()
    .slice(0, 60 - suffix.length)
    .replace(/-+$/, "");
  return stem + suffix;
}

/**
 * The number of snapshots that one attempt of a release may use. If all have failed, a person must look for the cause.
 */
export const TRIES = 5;

/** Returns the names that the snapshots of one attempt of a release may have, in their order. */
export function candidates(identifier: string): string[] {
  return Array.from({ length: TRIES }, (_, index) => (index === 0 ? identifier : `${identifier}-r${index + 1}`));
}

/** Returns the value as JSON with sorted keys, so that equal values give the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
