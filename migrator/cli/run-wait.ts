import { connectionUrl } from "../db/connection-place";
import { parseUrl } from "../db/url";
import type { Log } from "../log";
import type { Settings } from "../settings";
import { waitForMigrations } from "../verbs/wait";

/**
 * Runs the verb `wait`, which needs neither a folder of migrations nor a session of its own.
 * @returns the exit status
 */
export async function runWait(settings: Settings, log: Log): Promise<number> {
  const { connection, parameters, rootCertificate, awaited, waitTimeout } = settings;
  const url = connectionUrl(connection, parameters);
  log.hide(url);
  const target = parseUrl(url, { rootCertificate, form: connection.form });
  log.hide(target.password);
  for (const remark of target.remarks) log.event("url.remark", remark);
  // A process with the id 1 ignores signals that it doesn't handle. There is nothing to undo.
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => process.exit(143));
  await waitForMigrations(target, { migrations: awaited, timeout: waitTimeout }, log);
  return 0;
}
