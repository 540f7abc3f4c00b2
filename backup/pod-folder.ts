/**
 * The files through which the containers of a dump's pod work together. They are in one volume in memory, which both
 * containers mount at {@link POD_FOLDER}. This module imports nothing, because the Pulumi program uses it too.
 */
export const FILES = {
  /** A FIFO: the archive, from `pg_dump` to the storing program. */
  archive: "archive",
  /** A FIFO: the head of the archive, from the storing program to `pg_restore --list`. */
  head: "head",
  /** The version that `pg_dump --version` prints; empty if the image has no `pg_dump`. */
  clientVersion: "client-version",
  /** The variables of libpq, written for a shell. Whoever has read the file removes it. */
  connection: "connection",
  /** Its existence lets `pg_dump` begin. */
  go: "go",
  /** Its existence tells the container of `pg_dump` that there is nothing left to do. */
  stop: "stop",
  /** The times in seconds since 1970 at which the storing program, and the container of `pg_dump`, last were alive. */
  alive: "alive",
  clientAlive: "client-alive",
  /** The exit status of `pg_dump`, and its messages. */
  dumpStatus: "pg_dump.status",
  dumpErrors: "pg_dump.errors",
  /** The exit status of `pg_restore --list`, what it printed, and its messages. */
  listStatus: "pg_restore.status",
  list: "pg_restore.list",
  listErrors: "pg_restore.errors",
  /** The exit status of `pg_restore`, and its messages; these files exist only in the pod of a restore. */
  restoreStatus: "restore.status",
  restoreErrors: "restore.errors",
} as const;

/**
 * The endings of the names of a dump's two files. The third one is only there while they are removed, with the text of
 * the manifest, so that a removal that was killed can be finished.
 */
export const ENDINGS = {
  encrypted: ".dump.age",
  plain: ".dump",
  manifest: ".manifest.json",
  removal: ".removal.json",
} as const;

/**
 * The limits of the storing program's heap, in MiB. Its buffers are outside of the heap, and are bounded themselves: the
 * process stays below 128 MiB.
 */
export const NODE_FLAGS: readonly string[] = ["--max-old-space-size=48", "--max-semi-space-size=2"];

/** The folder of the pod in which the containers share files. */
export const POD_FOLDER = "/dump";

/** The folder of the pod at which the PersistentVolumeClaim is mounted. */
export const CLAIM_FOLDER = "/backups";

/** The variable that names the folder for the shell scripts. */
export const FOLDER_VARIABLE = "DUMP_FOLDER";

/** The seconds without a sign of life after which one container gives the other up. */
export const SILENT_SECONDS = 30;

/** The seconds in which the storing program must have begun; its image is on the node already. */
const BEGIN_SECONDS = 60;

/** The script of the init container: the FIFOs, and the version of the client. It also succeeds without `pg_dump`. */
export const PREPARE_SCRIPT = `cd "$${FOLDER_VARIABLE}" && umask 077 && rm -f ${Object.values(FILES).join(" ")} &&
mkfifo ${FILES.archive} ${FILES.head} &&
{ pg_dump --version >${FILES.clientVersion} 2>/dev/null || : >${FILES.clientVersion}; }`;

/**
 * Returns the beginning of a script of the container of `pg_dump` or `pg_restore`: it waits until the storing program has
 * written the connection, and reads that. `alive` tells whether that program still lives.
 */
export function clientHead(silentSeconds: number): string {
  return `cd "$${FOLDER_VARIABLE}" || exit 0
umask 077
trap 'exit 0' TERM
begun=$(date +%s)
alive() {
  now=$(date +%s)
  echo $now >${FILES.clientAlive}.new && mv ${FILES.clientAlive}.new ${FILES.clientAlive}
  if [ -e ${FILES.alive} ]; then [ $((now - $(cat ${FILES.alive}))) -lt ${silentSeconds} ]
  else [ $((now - begun)) -lt ${BEGIN_SECONDS} ]; fi
}
while [ ! -e ${FILES.go} ]; do
  [ -e ${FILES.stop} ] && exit 0
  alive || { echo "The storing program does not answer."; exit 0; }
  sleep 0.2
done
. ./${FILES.connection} && rm -f ${FILES.connection}`;
}

/**
 * The script of the container of `pg_dump`. It has no secret in its arguments: the connection is in a file. It always
 * exits with 0, because the storing program alone decides whether the dump is good, and says what is wrong with it. It
 * ends soon after the storing program, however that ends.
 *
 * @param lockSeconds the longest wait for the lock of a table
 * @param silentSeconds the time without a sign of life after which the storing program is given up
 */
export function dumpScript(lockSeconds: number, silentSeconds: number = SILENT_SECONDS): string {
  return `${clientHead(silentSeconds)}
{ pg_restore --list <${FILES.head} >${FILES.list} 2>${FILES.listErrors}
  echo $? >${FILES.listStatus}.new; mv ${FILES.listStatus}.new ${FILES.listStatus}; } &
list=$!
pg_dump --format=custom --no-password --lock-wait-timeout=${lockSeconds * 1000} >${FILES.archive} 2>${FILES.dumpErrors} &
dump=$!
{ while kill -0 $dump 2>/dev/null; do alive || { kill $dump $list; break; }; sleep 1; done; } 2>/dev/null &
wait $dump
echo $? >${FILES.dumpStatus}.new && mv ${FILES.dumpStatus}.new ${FILES.dumpStatus}
while [ ! -e ${FILES.stop} ] && alive; do sleep 0.2; done
exit 0`;
}
