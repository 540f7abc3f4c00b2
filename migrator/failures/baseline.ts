import { Failure, UNTOUCHED } from "./failure";

/** `baseline --write` can't write the first migration. */
export class NotBaselined extends Failure {
  override readonly code = "not-baselined";
  override readonly exit = 4;

  /** @param next the next command, or what is to be done by hand before this one is run again */
  constructor(what: string, next: string, evidence: readonly string[] = []) {
    super({ what, detail: evidence, database: `${UNTOUCHED} No migration was written.`, next });
  }
}
