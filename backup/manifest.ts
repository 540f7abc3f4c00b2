import { z } from "zod";

/** The version of the manifest's format. A reader refuses one that it doesn't know. */
export const MANIFEST_VERSION = 1;

const count = z.number().int().nonnegative();

/**
 * What is known of a dump without its key. It lies beside the dump, is not encrypted, and contains no data of rows. It
 * is written last, so a dump that has a manifest is complete.
 */
const manifestSchema = z.object({
  version: z.literal(MANIFEST_VERSION),
  /** The name of the dump's own file, beside the manifest. */
  file: z.string(),
  /** The format of `pg_dump`. A `directory` is stored as a tar file. */
  format: z.enum(["custom", "directory"]),
  /** The release that took the dump; null for one that was taken by hand. */
  release: z.string().nullable(),
  project: z.string(),
  stack: z.string(),
  app: z.string(),
  /** The time at which `pg_dump` began, whose data the dump contains, and the time at which it was stored and checked. */
  begunAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
  database: z.object({ name: z.string(), bytes: count }),
  /** The versions, as the server and `pg_dump --version` state them. */
  server: z.string(),
  client: z.string(),
  migrations: z.object({
    /** The sha-256 of the release's migrations, which the dump was taken before. */
    fingerprint: z.string(),
    /** The last migration that the database had; null if it had none. */
    last: z.string().nullable(),
    count,
  }),
  /** The rows (the planner's estimate) and the bytes of each table. */
  tables: z.record(z.string(), z.object({ rows: z.number(), bytes: z.number() })),
  /** The entries of the archive's table of contents, and those of them that hold the rows of a table. */
  contents: z.object({ entries: count, tableData: count }),
  /** The size of the archive, and that of the file with its encryption. */
  archiveBytes: count,
  fileBytes: count,
  /** The sha-256 of the file, in hexadecimal. */
  checksum: z.string().regex(/^[0-9a-f]{64}$/),
  /** The public keys of age; empty if the file is not encrypted. */
  recipients: z.array(z.string()),
});

/** The manifest of one dump. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Returns the manifest as it is stored. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Reads a manifest; undefined if the text is none that this version knows. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
