import { clientHead, FILES, SILENT_SECONDS } from "./pod-folder";

/** The folder of the pod with the key of the one file that is restored. */
export const KEY_FOLDER = "/restore-key";

/** The file of that key, which is in base64. */
export const KEY_FILE = "file-key";

/** The variable with further options of `pg_restore`, in the file of the connection. */
export const OPTIONS_VARIABLE = "RESTORE_OPTIONS";

/** The words of `pg_restore`, whose archive and connection come from outside of its command line. */
export const PG_RESTORE: readonly string[] = [
  "pg_restore",
  // A text with = is a list of parameters; the database itself is in PGDATABASE.
  "--dbname=application_name=release-restore",
  "--no-password",
  "--no-owner",
  "--no-subscriptions",
];

/**
 * The script of the container of `pg_restore`. As in a dump's pod it has no secret in its arguments, exits with 0, and
 * ends soon after the restoring program, however that ends. An early end of that program ends `pg_restore` too.
 *
 * @param silentSeconds the time without a sign of life after which the restoring program is given up
 */
export function restoreScript(silentSeconds: number = SILENT_SECONDS): string {
  return `${clientHead(silentSeconds)}
${PG_RESTORE.join(" ")} $${OPTIONS_VARIABLE} <${FILES.archive} >/dev/null 2>${FILES.restoreErrors} &
restore=$!
{ while kill -0 $restore 2>/dev/null; do
    { [ ! -e ${FILES.stop} ] && alive; } || { kill $restore; break; }
    sleep 0.2
  done; } 2>/dev/null &
wait $restore
echo $? >${FILES.restoreStatus}.new && mv ${FILES.restoreStatus}.new ${FILES.restoreStatus}
while [ ! -e ${FILES.stop} ] && alive; do sleep 0.2; done
exit 0`;
}
