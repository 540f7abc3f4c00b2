import { z } from "zod";

/** The beginning of the comment on every database that a restore has made. */
const PREFIX = "postgres-release restore ";

/**
 * What is known of a copy. It is the comment on the database, so it can be read from every other database of the
 * server, goes with the copy, and costs no table.
 */
const markSchema = z.object({
  /** The name of the database that it is a copy of. */
  source: z.string(),
  project: z.string(),
  stack: z.string(),
  /** The name of the dump. */
  dump: z.string(),
  /** The time whose data the dump contains. */
  of: z.string(),
  /** The time at which the restore began. */
  begunAt: z.string(),
  /** The run that makes it. Only that run completes it. */
  run: z.string(),
  state: z.enum(["restoring", "complete"]),
});

/** The mark of a copy. */
export type Mark = z.infer<typeof markSchema>;

/** Returns the comment on a copy. */
export function markText(mark: Mark): string {
  return `${PREFIX}${JSON.stringify(mark)}`;
}

/** Reads the comment on a database; undefined if no restore has made it. */
export function readMark(comment: string | null): Mark | undefined {
  if (!comment?.startsWith(PREFIX)) return undefined;
  try {
    const parsed = markSchema.safeParse(JSON.parse(comment.slice(PREFIX.length)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
