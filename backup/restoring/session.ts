import type { Log } from "../../migrator/log";
import { RestoreQueryRefused, ServerFull } from "../failures/restoring";
import type { SessionOptions } from "../session";
import type { RestoreOptions } from "./options";
import { removedAtEnd } from "./state";

/** How the sessions beside `pg_restore` are opened. */
export function restoreSession(
  { connectWait, copy }: Pick<RestoreOptions, "connectWait" | "copy">,
  log: Log,
): SessionOptions {
  return { log, connectWait, applicationName: "release-restore", refused: refusal(copy) };
}

/** Returns what makes the failure for an error of Postgres in a session of a restore. */
function refusal(copy: string): (error: Error & { code: string }) => Error {
  return ({ code, message }) => {
    const end = removedAtEnd(copy);
    return code === "53100"
      ? new ServerFull([message], end)
      : new RestoreQueryRefused(`${message} (SQLSTATE ${code})`, end);
  };
}
