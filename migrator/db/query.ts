import { Query, type QueryResult } from "pg";
import type { Session } from "./connection";
import { quieten } from "./quiet-error";

/** An error of a message, with the number of its statements that were complete before the error. */
interface ScriptError extends Error {
  completedStatements?: number;
}

/** A message of the simple protocol, which may contain several statements. It counts those that were completed. */
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

/** Runs one or more statements in one round trip, and returns one result per statement. */
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

/** Returns the index of the statement that failed within the script that was passed to {@link runScript}. */
export function failedIndex(error: unknown): number {
  return (error as ScriptError).completedStatements ?? 0;
}
