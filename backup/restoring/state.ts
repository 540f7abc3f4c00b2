/** What became of the copy when a restore ended early, for messages. */
export interface RestoreEnd {
  /** The end of the sentence "the source is untouched; …". */
  readonly state: string;
}

/** Returns what is said of a copy that the end of a restore removes. */
export function removedAtEnd(copy: string): RestoreEnd {
  return { state: `what was restored to ${copy} is removed, or is by the next run` };
}
