/** The classes of the review's findings. The setting `review.refuse` lists the classes that end a release. */
export const findingClasses = [
  /** Data, or a rule that protected data, is removed and can't be restored from the database itself. */
  "destructive",
  /** The app's queries are blocked for more than a moment. */
  "blocking",
  /** The old version's pods fail while both versions run. */
  "incompatible",
  /** The migration fails, on a table with rows or always. */
  "failing",
  /** If the migration fails, a part of it stays in place. */
  "partial",
  /** The folder contradicts what was released before. */
  "history",
  /** The Prisma schema and the migrations differ. */
  "schema",
  /** The migration contains a password or key. */
  "secret",
  /** The statement's effect isn't visible in its text. */
  "unknown",
  /** Only squawk reports it. */
  "lint",
] as const;

/** One class of findings. */
export type FindingClass = (typeof findingClasses)[number];
