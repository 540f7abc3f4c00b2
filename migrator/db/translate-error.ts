import { Failure } from "../failures/failure";
import { Stopped } from "../failures/statement";
import { connectionLost, isConnectionLoss, type Session } from "./connection";

/** What a person is told, by what ended the work. */
export interface Endings {
  /** What the database is like after a stop by a signal. */
  readonly afterStop: string;
  /** What the database is like after the loss of the connection, as far as that is known. */
  readonly afterLoss: string;
  /** Makes the failure for an error of Postgres. */
  refused(error: Error & { code: string }): Error;
}

/**
 * Makes the failure that a person reads out of any error: of a signal, of a lost connection, of what Postgres refused. Whatever else
 * there is stays as it is: it is a defect of this program.
 */
export function translateError(
  error: unknown,
  { session, signal }: { session: Session; signal: AbortSignal },
  { afterStop, afterLoss, refused }: Endings,
): unknown {
  if (error instanceof Failure) return error;
  const lost = session.lost !== undefined || isConnectionLoss(error);
  // A signal may come where nothing runs that could be cancelled; and the connection is cut where the server doesn't react to it.
  if (signal.aborted) return new Stopped(signal.reason, lost ? afterLoss : afterStop);
  if (lost) return connectionLost(error, afterLoss);
  return isRefusal(error) ? refused(error) : error;
}

function isRefusal(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error && /^[0-9A-Z]{5}$/.test(String(error.code));
}
