import { connectionUrl } from "../db/connection-place";
import { parseUrl, type Target, withDatabase, withServer } from "../db/url";
import type { Log } from "../log";
import type { Settings } from "../settings";

/**
 * Reads the server and database to connect to. From then on the log hides the connection string and the password.
 * @throws BadUrl, which never repeats the string
 */
export function readTarget(
  {
    connection,
    auth,
    parameters,
    rootCertificate,
    server,
    database,
  }: Pick<Settings, "connection" | "auth" | "parameters" | "rootCertificate"> &
    Partial<Pick<Settings, "server" | "database">>,
  log: Log,
): Target {
  // A token is worth as much as a password for 15 minutes, so by default it is only sent to a server that is verified.
  const own = connectionUrl(connection, auth === "iam" ? { sslmode: "verify-full", ...parameters } : parameters);
  log.hide(own);
  const there = server === undefined ? own : withServer(own, server);
  const url = database === undefined ? there : withDatabase(there, database);
  log.hide(url);
  const target = parseUrl(url, { rootCertificate, auth, form: connection.form });
  log.hide(target.password);
  for (const remark of target.remarks) log.event("url.remark", remark);
  return target;
}
