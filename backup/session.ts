import { Session } from "../migrator/db/connection";
import { translateError } from "../migrator/db/translate-error";
import type { Target } from "../migrator/db/url";
import { UNTOUCHED } from "../migrator/failures/failure";
import type { Log } from "../migrator/log";
import { formatDuration } from "../text/short-duration";

/** The signal of work that no signal ends, because it is short. */
const NEVER = new AbortController().signal;

/** What a session of a program that backs up is opened with. */
export interface SessionOptions {
  readonly log: Log;
  /** The longest wait for a server that is not there yet, in milliseconds. */
  readonly connectWait: number;
  /** The name by which the server lists the session. */
  readonly applicationName: string;
  /** Returns the failure that stands for what Postgres refused. */
  readonly refused: (error: Error & { code: string }) => Error;
}

/** Opens a session for a short work, and closes it, because the role may have few connections. */
export async function inSession<T>(
  target: Target,
  { log, connectWait, applicationName, refused }: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.open(target, {
    applicationName,
    connectWait,
    onWait: (reason) =>
      log.event("connect.waiting", `No connection yet (${reason}); trying again for ${formatDuration(connectWait)}.`, {
        reason,
      }),
  });
  try {
    return await work(session);
  } catch (error) {
    throw translateError(error, { session, signal: NEVER }, { afterStop: UNTOUCHED, afterLoss: UNTOUCHED, refused });
  } finally {
    await session.close();
  }
}
