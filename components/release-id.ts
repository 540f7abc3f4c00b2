import { createHash } from "node:crypto";
import type { Settings } from "../settings/schema";

/** Hexadecimal digits of an id: 48 bits, far beyond the releases of one app. */
const LENGTH = 12;

/**
 * What decides a release, and so its id: the same id means that there is nothing to do.
 * The order of keys does not matter, their values do.
 */
export interface ReleaseIdentity {
  image: string;
  /** sha-256 of the migrations' names and contents. */
  migrations: string;
  /** Settings of the migration Job; where the folder lies decides nothing, what is in it does. */
  runner: Omit<Settings["migrations"], "directory">;
  /** Raised by hand to do a release again from the start, with a fresh snapshot. */
  attempt: number;
}

/** The release's id: the start of a sha-256 over what decides it. */
export function releaseId(identity: ReleaseIdentity): string {
  return createHash("sha256").update(canonical(identity)).digest("hex").slice(0, LENGTH);
}

/** The id of the release that these settings and migrations make. */
export function releaseIdOf(
  { app, migrations: { directory: _, ...runner }, release }: Pick<Settings, "app" | "migrations" | "release">,
  fingerprint: string,
): string {
  return releaseId({ image: app.image, migrations: fingerprint, runner, attempt: release.attempt });
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
