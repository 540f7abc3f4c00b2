/** The classes of findings of the review; `review.refuse` names those that end a release. */
export const findingClasses = [
  /** Data, or a rule that guarded it, is gone and can't be had back from the database. */
  "destructive",
  /** The app's queries wait for longer than a moment. */
  "blocking",
  /** The old version's pods fail while both versions run. */
  "incompatible",
  /** The migration fails, on a table with rows or always. */
  "failing",
  /** A failure leaves a part of the migration in place. */
  "partial",
  /** The folder contradicts what was released before. */
  "history",
  /** A password or key stands in the migration. */
  "secret",
  /** It can't be judged from its text. */
  "unknown",
  /** Said by squawk alone. */
  "lint",
] as const;

/** One class of findings. */
export type FindingClass = (typeof findingClasses)[number];
