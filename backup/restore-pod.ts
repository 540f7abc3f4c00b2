import { SCRATCH_VARIABLE } from "./parallel";
import { clientHead, FILES, SILENT_SECONDS } from "./pod-folder";

/** The folder of the pod with the key of the one file that is restored. */
export const KEY_FOLDER = "/restore-key";

/** The file of that key, which is in base64. */
export const KEY_FILE = "file-key";

/** The variable with further options of `pg_restore`, in the file of the connection. */
export const OPTIONS_VARIABLE = "RESTORE_OPTIONS";

/**
 * The variable with the number of connections that restore a parallel dump, in the file of the connection. Without it the
 * dump is streamed into `pg_restore`.
 */
export const JOBS_VARIABLE = "RESTORE_JOBS";

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
streamed() {
  exec ${PG_RESTORE.join(" ")} $${OPTIONS_VARIABLE} <${FILES.archive}
}
# A parallel dump is a tar file, which is unpacked on the disk of the pod first.
unpacked() {
  trap 'kill $child 2>/dev/null; exit 143' TERM
  rm -rf "$${SCRATCH_VARIABLE}/archive" && mkdir "$${SCRATCH_VARIABLE}/archive" || exit 1
  tar -xf ${FILES.archive} -C "$${SCRATCH_VARIABLE}/archive" 2>tar.errors &
  child=$!
  wait $child || { sed 's/^/pg_restore: error: /' tar.errors >&2; exit 1; }
  ${PG_RESTORE.join(" ")} --jobs="$${JOBS_VARIABLE}" $${OPTIONS_VARIABLE} "$${SCRATCH_VARIABLE}/archive" &
  child=$!
  wait $child
  status=$?
  rm -rf "$${SCRATCH_VARIABLE}/archive"
  exit $status
}
if [ -n "$${JOBS_VARIABLE}" ]; then unpacked; else streamed; fi >/dev/null 2>${FILES.restoreErrors} &
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
