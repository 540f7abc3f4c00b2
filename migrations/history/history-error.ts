import { oneLine } from "../../text/printable";

/** The kinds of problems that a folder of migrations can have. */
type HistoryProblemKind = "no-folder" | "no-script" | "encoding" | "provider" | "name" | "order" | "link" | "until";

/** One problem of a folder of migrations. */
export interface HistoryProblem {
  readonly kind: HistoryProblemKind;
  /** The path of the file or folder that has the problem. */
  readonly path: string;
  /** The name of the migration, if the problem concerns a single one. */
  readonly migration?: string;
  /** The problem and its solution, as a clause whose subject is the path. */
  readonly message: string;
}

/**
 * A folder of migrations can't be used. The error lists all of its problems. It is thrown before anything is changed.
 */
export class HistoryError extends Error {
  override readonly name = "HistoryError";

  constructor(
    readonly directory: string,
    readonly problems: readonly HistoryProblem[],
  ) {
    const lines = problems.map(({ path, message }) => `  ${oneLine(path)} ${oneLine(message)}`);
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    super(`The migrations in ${oneLine(directory)} have ${count}:\n${lines.join("\n")}`);
  }
}
