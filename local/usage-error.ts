/** The command line or the folder is wrong. The error contains all problems. Nothing was touched. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  constructor(readonly problems: string[]) {
    super(problems.join("\n"));
  }
}

/** An expected failure with its own three-part message, shown without a stack trace. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
