import { Failure, otherVerb, UNTOUCHED } from "./failure";

/** Later migrations have built upon what would be dropped. */
export class BuiltUpon extends Failure {
  override readonly code = "built-upon";
  override readonly exit = 4;

  /**
   * @param evidence lines that name the later migrations with what they have made
   * @param last the last of these migrations
   */
  constructor(name: string, evidence: readonly string[], last: string) {
    super({
      what: `${name} can't be taken back by itself: later migrations build upon it.`,
      detail: evidence,
      database: UNTOUCHED,
      next: `take the later one back first: ${otherVerb(`revert ${last} --plan`)}`,
    });
  }
}

/** The folder has migrations already that take this one back. */
export class AlreadyReverted extends Failure {
  override readonly code = "already-reverted";
  override readonly exit = 4;

  /**
   * @param by the names of these migrations
   * @param whole false if some of them are missing, as after a `--write` that was killed
   */
  constructor(name: string, by: readonly string[], whole: boolean) {
    super({
      what: `${name} is taken back already, by ${by.join(", ")}.`,
      database: UNTOUCHED,
      next: whole
        ? `release it; to see whether a database has it: ${otherVerb("status")}`
        : `some parts of it are missing: delete ${by.join(", ")}, then: {rerun}`,
    });
  }
}

/** The migration that is to be taken back is not applied on the database. */
export class NotApplied extends Failure {
  override readonly code = "not-applied";
  override readonly exit = 4;

  constructor(name: string, state: "pending" | "unfinished") {
    super({
      what: `${name} is ${state === "pending" ? "not applied" : "started and not finished"} on this database, so there is nothing to take back by a new migration.`,
      database: UNTOUCHED,
      next:
        state === "pending"
          ? "delete its folder, if no other database has it; to see which has it, ask each one: {rerun}"
          : otherVerb(`resolve --diagnose ${name}`),
    });
  }
}

/** A migration of the history is no SQL that can be read, so it isn't known what the schema is like. */
export class UnreadableHistory extends Failure {
  override readonly code = "unreadable-history";
  override readonly exit = 4;

  constructor(reason: string) {
    super({
      what: `What the migrations have made can't be told: ${reason}.`,
      database: UNTOUCHED,
      next: "write the migration that takes it back by hand; or correct the file, if it is not applied anywhere, then: {rerun}",
    });
  }
}

/** The folder of the new migration can't be written. */
export class Unwritable extends Failure {
  override readonly code = "unwritable";
  override readonly exit = 2;

  constructor(path: string, reason: string) {
    super({
      what: `${path} can't be written: ${reason}.`,
      database: UNTOUCHED,
      next: "see to the folder, then: {rerun}",
    });
  }
}
