import { Query, type QueryResult } from "pg";
import type { Session } from "./connection";
import { quieten } from "./quiet-error";

/** An error of a message, and how many of its statements were complete when it came. */
interface ScriptError extends Error {
  completedStatements?: number;
}

/** A message of the simple protocol, which may hold several statements; it counts those that were completed. */
class Script extends (Query as unknown as new (
  text: string,
  done: (error: Error | null, result: unknown) => void,
) => {
  handleCommandComplete(message: unknown, connection: unknown): void;
  handleError(error: ScriptError, connection: unknown): void;
}) {
  private completed = 0;

  override handleCommandComplete(message: unknown, connection: unknown): void {
    this.completed++;
    super.handleCommandComplete(message, connection);
  }

  override handleError(error: ScriptError, connection: unknown): void {
    error.completedStatements = this.completed;
    super.handleError(error, connection);
  }
}

/** Runs one or more statements in one round trip; one result each. */
export function runScript(session: Session, text: string): Promise<QueryResult[]> {
  return new Promise((resolve, reject) => {
    const script = new Script(text, (error, result) => {
      if (error) {
        if (!session.showValues) quieten(error, text);
        reject(error);
      } else resolve(Array.isArray(result) ? result : [result as QueryResult]);
    });
    session.client.query(script as never);
  });
}

/** Tells the index of the statement that failed, within the script that {@link runScript} was given. */
export function failedIndex(error: unknown): number {
  return (error as ScriptError).completedStatements ?? 0;
}
