import { z } from "zod";
import type { Sizes } from "../text/table-size";

/** The ways to make a backup, which are the values of `backup.mode` that make one. */
const BACKUP_KINDS = ["snapshot", "dump", "branch"] as const;
/** A way to make a backup. */
export type BackupKind = (typeof BACKUP_KINDS)[number];

/** A backup in the outputs of a release. */
const backupSchema = z.object({
  kind: z.enum(BACKUP_KINDS),
  id: z.string(),
  location: z.string(),
  createdAt: z.string(),
  completedAt: z.string(),
  /** The sha-256 of a dump's file; null if it is unknown, and for any other backup. */
  checksum: z.string().nullable().default(null),
  /**
   * The copy of a snapshot in another region; null if there is none. It is named here when the new version is rolled
   * out; `up` ends when it is complete.
   */
  copy: z.object({ id: z.string(), location: z.string(), region: z.string() }).nullable().default(null),
});
/** A backup, as the outputs of a release name it. */
export type ReleaseBackup = z.infer<typeof backupSchema>;

/** A release that was live before, in the outputs of a later one. */
const earlierSchema = z.object({
  releaseId: z.string(),
  image: z.string(),
  /** The last migration of its schema; null for an empty history. */
  lastMigration: z.string().nullable(),
});
/** A release that was live before, in the outputs of a later one. */
export type EarlierRelease = z.infer<typeof earlierSchema>;

/** The rows and bytes of each table, as one release passes them to the next. */
export const sizesSchema: z.ZodType<Sizes> = z.object({
  recordedAt: z.string().exactOptional(),
  tables: z.record(z.string(), z.object({ rows: z.number(), bytes: z.number() })),
});

/**
 * The outputs that a release offers to other stacks. Every value describes the live release, also after a later
 * release has failed.
 */
export const releaseOutputsSchema = z.object({
  /** The id of the live release. */
  releaseId: z.string(),
  /** The snapshot that was taken before the release's migrations; null if there is none. */
  snapshot: z.object({ id: z.string(), arn: z.string(), createdAt: z.string() }).nullable(),
  /**
   * The backup that was made before the release's migrations, of any kind; null if there is none, or if an older version
   * of this project made the release.
   */
  backup: backupSchema.nullable().default(null),
  migrations: z.object({
    /** The name of the last migration; null for an empty history. */
    last: z.string().nullable(),
    count: z.number(),
    /** The sha-256 of all migrations' names and contents. */
    fingerprint: z.string(),
  }),
  /** The setting `release.attempt`; null if an older version of this project made the release. */
  attempt: z.number().nullable().default(null),
  image: z.string(),
  /**
   * The releases that were live before, the newest first, at most ten: the way back finds among them the image that
   * belongs to a schema. It is empty if an older version of this project made the release.
   */
  before: z.array(earlierSchema).default([]),
  namespace: z.string(),
  /** The name of the Service. */
  service: z.string(),
  /** The URL of the app. */
  url: z.string(),
  /** The command that restores the backup as a second database; null if there is none. */
  restore: z.string().nullable(),
  /**
   * The rows and bytes of each table at the end of the migration, for the review of the next one
   * (`npm run review -- --stats`). They are null if they could not be read, or if the release was made by an older
   * version of this project, which didn't measure them.
   */
  sizes: sizesSchema.nullable().default(null),
  /**
   * The time at which the Job began that applied the release's migrations (ISO 8601), to which `restore --to
   * before-migration` goes back. It is null if it is unknown, or if an older version of this project made the release.
   */
  migrationBegan: z.string().nullable().default(null),
});

/** The outputs of a release, as another stack reads them. */
export type ReleaseOutputs = z.infer<typeof releaseOutputsSchema>;
/** The outputs that a preview of a new release can show. What its Jobs find and do is unknown then. */
export type LiveRelease = Omit<ReleaseOutputs, "sizes" | "migrationBegan">;
