import { clientHead, FILES, SILENT_SECONDS } from "./pod-folder";

/**
 * A dump by several connections at once. `pg_dump` then writes a folder of files, which can't be streamed while it is
 * made; so it is made on a disk of the pod, and passed to the store as one tar file.
 */

/** The folder of the pod with the files of a parallel dump. */
export const SCRATCH_FOLDER = "/scratch";

/** The variable that names that folder for the shell scripts. */
export const SCRATCH_VARIABLE = "SCRATCH_FOLDER";

/** The endings of the name of a parallel dump's file. */
export const PARALLEL_ENDINGS = { encrypted: ".tar.age", plain: ".tar" } as const;

/** The folder of the archive itself. */
const ARCHIVE = `"$${SCRATCH_VARIABLE}/archive"`;

/** A part of a script that waits for `$child`, and ends it when the storing program is over. */
const WATCHED = `{ while kill -0 $child 2>/dev/null; do { [ ! -e ${FILES.stop} ] && alive; } || { kill $child; break; }; sleep 0.5; done; } 2>/dev/null &
wait $child`;

/**
 * The script of the container of `pg_dump` for a parallel dump. Like that of a streamed one it has no secret in its
 * arguments and always exits with 0.
 *
 * @param lockSeconds the longest wait for the lock of a table
 * @param jobs the connections that read tables at the same time; `pg_dump` itself has one more
 * @param silentSeconds the time without a sign of life after which the storing program is given up
 */
export function parallelDumpScript(lockSeconds: number, jobs: number, silentSeconds: number = SILENT_SECONDS): string {
  return `${clientHead(silentSeconds)}
rm -rf ${ARCHIVE}
pg_dump --format=directory --jobs=${jobs} --file=${ARCHIVE} --no-password --lock-wait-timeout=${lockSeconds * 1000} 2>${FILES.dumpErrors} &
child=$!
${WATCHED}
status=$?
if [ $status -eq 0 ]; then
  pg_restore --list ${ARCHIVE} >${FILES.list} 2>${FILES.listErrors}
  echo $? >${FILES.listStatus}.new; mv ${FILES.listStatus}.new ${FILES.listStatus}
  tar -cf ${FILES.archive} -C ${ARCHIVE} . 2>>${FILES.dumpErrors} &
else
  # The end of an empty archive lets the storing program look at the status. Nobody may read it any more.
  { : >${FILES.archive}; exit $status; } &
fi
child=$!
${WATCHED}
status=$?
echo $status >${FILES.dumpStatus}.new && mv ${FILES.dumpStatus}.new ${FILES.dumpStatus}
while [ ! -e ${FILES.stop} ] && alive; do sleep 0.2; done
rm -rf ${ARCHIVE}
exit 0`;
}
