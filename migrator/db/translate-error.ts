import { Failure } from "../failures/failure";
import { Stopped } from "../failures/statement";
import { connectionLost, isConnectionLoss, type Session } from "./connection";

/** The texts and the failure for each way in which work can be ended. */
export interface Endings {
  /** The state of the database after a stop by a signal. */
  readonly afterStop: string;
  /** The state of the database after the loss of the connection, as far as it is known. */
  readonly afterLoss: string;
  /** Makes the failure for an error of Postgres. */
  refused(error: Error & { code: string }): Error;
}

/**
 * Makes the failure that a person reads from an error: a signal, a lost connection, or a refusal by Postgres. Any other
 * error is returned as it is, because it is a defect of this program.
 */
export function translateError(
  error: unknown,
  { session, signal }: { session: Session; signal: AbortSignal },
  { afterStop, afterLoss, refused }: Endings,
): unknown {
  if (error instanceof Failure) return error;
  const lost = session.lost !== undefined || isConnectionLoss(error);
  // The signal is checked first, because the connection is cut if the server doesn't react to the signal. A signal may
  // also come while nothing runs that could be cancelled.
  if (signal.aborted) return new Stopped(signal.reason, lost ? afterLoss : afterStop);
  if (lost) return connectionLost(error, afterLoss);
  return isRefusal(error) ? refused(error) : error;
}

function isRefusal(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error && /^[0-9A-Z]{5}$/.test(String(error.code));
}
