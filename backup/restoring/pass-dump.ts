import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "../../migrator/log";
import { writeHead } from "../dump/fifo";
import type { LibpqConnection } from "../dump/libpq";
import type { Pod } from "../dump/pod";
import { RestoreClientTooOld, RestoreVanished } from "../failures/restoring";
import type { Manifest } from "../manifest";
import { readDumpFile } from "../read-dump";
import type { Store } from "../stores/store";
import { unlessAborted } from "../work-end";
import type { RestoreOptions } from "./options";
import { isLeftOut, type RestoreError, readRestoreErrors, restoreFailure } from "./pg-restore-error";
import { removedAtEnd } from "./state";

/** The longest time that a container needs to write a file that it is about to write, in milliseconds. */
const ANSWER_MS = 30_000;

/** The time between two looks at what `pg_restore` has printed, in milliseconds. */
const LOOK_MS = 500;

/** What a dump is passed on with. */
interface Passing {
  readonly options: RestoreOptions;
  readonly manifest: Manifest;
  readonly store: Store;
  readonly pod: Pod;
  readonly log: Log;
  readonly fileKey: Uint8Array | undefined;
  readonly connection: LibpqConnection;
  readonly signal: AbortSignal;
}

/**
 * Passes a dump from its store to `pg_restore` in the other container, and decrypts it on the way. The whole file is
 * read, and compared with its manifest, also when `pg_restore` has had enough of it. The first error that makes the copy
 * useless ends it.
 * @returns what was left out, without which the copy can be used
 */
export async function passDump(passing: Passing): Promise<RestoreError[]> {
  const { options, manifest, pod, signal } = passing;
  const end = removedAtEnd(options.copy);
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", stop, { once: true });
  const watched = pod.watchClient(options.silent, () => over.abort(new RestoreVanished(options.silent / 1000, end)));
  const look = setInterval(() => {
    if (errorsOf(pod).some((error) => !isLeftOut(error))) over.abort(failureOf(passing));
  }, LOOK_MS);
  try {
    return await unlessAborted(over.signal, passed(passing, over.signal));
  } finally {
    watched();
    clearInterval(look);
    signal.removeEventListener("abort", stop);
    // Whatever still reads or waits for the other container ends with this.
    over.abort(new Error(`the restore of ${manifest.file} is over`));
  }
}

async function passed(passing: Passing, signal: AbortSignal): Promise<RestoreError[]> {
  const { store, manifest, fileKey, pod, log, options, connection } = passing;
  // The header is read, and its authenticity checked, before pg_restore begins.
  const archive = await readDumpFile(store, manifest, fileKey === undefined ? [] : [{ unwrapFileKey: () => fileKey }]);
  pod.begin(connection);
  const head = await writeHead(pod.path("archive"), ANSWER_MS, signal);
  // The script has read the connection before it opens the archive.
  pod.forgetConnection();
  log.event("restore.begun", `pg_restore has begun: ${manifest.file} of ${manifest.begunAt}.`);
  for await (const piece of archive) {
    signal.throwIfAborted();
    await head.write(piece);
  }
  head.end();
  const status = await statusOf(pod, options.silent, signal);
  const errors = errorsOf(pod);
  if (status !== 0 && (errors.length === 0 || errors.some((error) => !isLeftOut(error)))) throw failureOf(passing);
  return errors;
}

/** Waits for the end of `pg_restore`, which makes indexes after it has read everything; its container shows that it lives. */
async function statusOf(pod: Pod, silent: number, signal: AbortSignal): Promise<number> {
  for (;;) {
    const status = await pod.waitFor("restoreStatus", silent, signal);
    if (status !== undefined) return Number(status);
    await pause(0, undefined, { signal });
  }
}

function errorsOf(pod: Pod): RestoreError[] {
  return readRestoreErrors(pod.read("restoreErrors") ?? "");
}

function failureOf({ pod, options, manifest }: Passing): Error {
  const text = pod.read("restoreErrors") ?? "";
  const end = removedAtEnd(options.copy);
  if (/unsupported version \([\d.]+\) in file header/.test(text))
    return new RestoreClientTooOld(options.image, clientOf(pod), manifest.client, end);
  const errors = readRestoreErrors(text);
  return restoreFailure(errors, end);
}

function clientOf(pod: Pod): string {
  return /\d+(?:\.\d+)*/.exec(pod.read("clientVersion") ?? "")?.[0] ?? "of an unknown version";
}
