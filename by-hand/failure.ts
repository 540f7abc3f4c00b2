/** The exit statuses of a command by hand when it is not the migrator's verb that ended. */
export const EXIT = {
  /** What was asked for was not reached, such as a restored database that became `failed`. */
  failed: 1,
  /** The command line or the stack's settings are wrong. */
  usage: 2,
  /** A migration Job of the stack is running. It is the status that the migrator has for another migrator. */
  busy: 6,
  /** The cluster can't be reached, or it can't run the Job. */
  cluster: 69,
  /** The account's API can't be reached, or it refuses a call. */
  account: 69,
} as const;

/** A failure of a command by hand, in the parts of every message: what happened, the state of the database, what is next. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";

  constructor(
    readonly exit: number,
    what: string,
    /** The state of the database; default: nothing was changed. */
    readonly database = "nothing was changed.",
    /** The next command. */
    readonly next = "the same command again",
  ) {
    super(what);
  }

  /** The message as the last lines of the command. */
  get lines(): string {
    return `FAILED: ${this.message}\nDatabase: ${this.database}\nNext: ${this.next}\n`;
  }
}
