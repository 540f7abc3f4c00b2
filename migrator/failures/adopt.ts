import { Failure, UNTOUCHED } from "./failure";

/** `adopt` can't write a migration for the drift. */
export class NotAdopted extends Failure {
  override readonly code = "not-adopted";
  override readonly exit = 4;

  /** @param next the next command, or what is to be done by hand before this one is run again */
  constructor(what: string, next: string, evidence: readonly string[] = []) {
    super({ what, detail: evidence, database: `${UNTOUCHED} No migration was written.`, next });
  }
}
