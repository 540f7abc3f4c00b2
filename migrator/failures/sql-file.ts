import { Failure, UNTOUCHED } from "./failure";

/** The file of `sql` can't be used: it doesn't exist, is too large, is not UTF-8, or has no statement. */
export class UnreadableSqlFile extends Failure {
  override readonly code = "unreadable-sql";
  override readonly exit = 2;

  constructor(what: string) {
    super({ what, database: UNTOUCHED, next: "correct the file, then: {rerun}" });
  }
}

/** The file of `sql` is neither one transaction nor a single statement that runs outside of one. */
export class SeveralSteps extends Failure {
  override readonly code = "several-steps";
  override readonly exit = 4;

  /** @param evidence the statements that keep the file from being one transaction, with their reasons */
  constructor(file: string, evidence: readonly string[]) {
    super({
      what: `${file} can't be one transaction, so a failure in it would leave a part of it in the database.`,
      detail: evidence,
      database: UNTOUCHED,
      next: "put each of these statements into a file of its own, or the whole into a migration, then: {rerun}",
    });
  }
}

/** The review finds something in the file of `sql` that the stack refuses, and nobody has acknowledged it. */
export class FileRefused extends Failure {
  override readonly code = "review-refused";
  override readonly exit = 4;

  /**
   * @param evidence the findings, each with the acknowledgement that would let it pass
   * @param acknowledge the options that acknowledge all of them, with `…` for the reason
   */
  constructor(file: string, evidence: readonly string[], acknowledge: string) {
    super({
      what: `The review refuses ${file} (setting review.refuse).`,
      detail: evidence,
      database: UNTOUCHED,
      next: `change the file; or, if that is acceptable here, run the same command again with a reason: ${acknowledge}`,
    });
  }
}
