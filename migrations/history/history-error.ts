import { oneLine } from "../../text/printable";

/** What can be wrong with a folder of migrations. */
export type HistoryProblemKind = "no-folder" | "no-script" | "encoding" | "provider" | "name" | "order" | "link";

/** One thing that is wrong with a migrations folder. */
export interface HistoryProblem {
  readonly kind: HistoryProblemKind;
  /** The file or folder that is wrong. */
  readonly path: string;
  /** The migration, where the problem is one of a single migration. */
  readonly migration?: string;
  /** What is wrong and what to do, to be read after the path. */
  readonly message: string;
}

/** A folder of migrations that can't be used: every problem in it at once. Nothing has been touched when this is thrown. */
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
