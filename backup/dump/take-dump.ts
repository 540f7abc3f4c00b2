import type { Readable } from "node:stream";
import { iamToken } from "../../migrator/db/iam-token";
import { describeTarget, type Target } from "../../migrator/db/url";
import type { Log } from "../../migrator/log";
import { Records } from "../../migrator/records/records";
import { recordData } from "../../migrator/records/release-records";
import type { RecordedBackup } from "../../report/contract";
import { formatBytes } from "../../text/bytes";
import { formatDuration } from "../../text/short-duration";
import { ClientMissing, ClientTooOld, ContentsUnreadable, DumpVanished } from "../failures/dump";
import { MANIFEST_VERSION, type Manifest, manifestText, parseManifest } from "../manifest";
import { PARALLEL_ENDINGS } from "../parallel";
import { ENDINGS } from "../pod-folder";
import { inSession } from "../session";
import type { Store, Upload } from "../stores/store";
import { unlessAborted } from "../work-end";
import { passOn, type Written } from "./archive";
import { type Contents, readContents } from "./contents";
import { type DatabaseFacts, dumpSession, readFacts } from "./facts";
import { NO_HEAD, readFifo, writeHead } from "./fifo";
import { libpqConnection } from "./libpq";
import type { DumpOptions } from "./options";
import { dumpFailure } from "./pg-dump-error";
import type { Pod } from "./pod";

/** The longest time that a container needs to write a file that it is about to write, in milliseconds. */
const ANSWER_MS = 30_000;

/** What a dump is taken with. */
export interface DumpRun {
  readonly options: DumpOptions;
  readonly target: Target;
  readonly store: Store;
  readonly pod: Pod;
  readonly log: Log;
  /** It is aborted by a signal, or when the time is over. */
  readonly signal: AbortSignal;
}

/**
 * Takes the dump of a release, unless an earlier run has: a dump of this name that is complete is the one that was taken
 * before the same migrations. It is recorded in the database, where the migration looks for it.
 */
export async function takeDump(run: DumpRun): Promise<void> {
  const { options, target, store, log } = run;
  const facts = await inSession(target, dumpSession({ log, connectWait: options.connectWait }), readFacts);
  log.event("connected", `Connected to ${describeTarget(target)}, Postgres ${facts.server}.`);
  const known = await completeDump(store, options.name);
  if (known) log.event("dump.kept", `The dump ${store.location(known.file)} of ${known.begunAt} is there already.`);
  if (!known && options.lastMigration !== undefined && facts.applied.names.includes(options.lastMigration)) {
    log.event(
      "dump.needless",
      `The database has ${options.lastMigration} already: there is nothing to take a dump for.`,
    );
    return;
  }
  const manifest = known ?? (await newDump(run, facts));
  await inSession(target, dumpSession({ log, connectWait: options.connectWait }), async (session) => {
    const records = new Records(session, target.schema, options.release);
    await records.ensure();
    if (records.unavailable !== undefined)
      log.event("records.unavailable", `Warning: the dump is not recorded in the database: ${records.unavailable}.`);
    await recordData(records, "dump", recorded(manifest, options, store));
  });
}

/** What later steps are told of the dump. */
function recorded(
  { file, begunAt, completedAt, checksum, migrations: { fingerprint } }: Manifest,
  { name }: DumpOptions,
  store: Store,
): RecordedBackup {
  return { id: name, location: store.location(file), createdAt: begunAt, completedAt, checksum, fingerprint };
}

/** Returns the manifest of a dump that is stored whole; undefined if there is none. */
async function completeDump(store: Store, name: string): Promise<Manifest | undefined> {
  const text = await store.read(`${name}${ENDINGS.manifest}`);
  const manifest = text === undefined ? undefined : parseManifest(text);
  return manifest && (await store.size(manifest.file)) === manifest.fileBytes ? manifest : undefined;
}

async function newDump(run: DumpRun, facts: DatabaseFacts): Promise<Manifest> {
  const { options, store, pod, log, signal } = run;
  const client = checkedClient(pod.read("clientVersion") ?? "", options.image, facts);
  const removed = await store.removeUnfinished(folderOf(options.name));
  if (removed > 0) log.event("dump.leftovers", `Removed ${removed} unfinished of an earlier run from ${store.title}.`);
  // A removal of an earlier dump of this name may have been killed, and must not be finished on the new one.
  await store.remove(`${options.name}${ENDINGS.removal}`);
  signal.throwIfAborted();
  const endings = options.jobs > 1 ? PARALLEL_ENDINGS : ENDINGS;
  const file = `${options.name}${options.recipients.length > 0 ? endings.encrypted : endings.plain}`;
  const upload = await store.begin(file, facts.database.bytes);
  try {
    return await unlessAborted(signal, filled(upload, { file, client, facts }, run));
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** Fills and finishes the upload of a dump, and writes its manifest. */
async function filled(
  upload: Upload,
  { file, client, facts }: { file: string; client: string; facts: DatabaseFacts },
  run: DumpRun,
): Promise<Manifest> {
  const { options, store, log } = run;
  const begunAt = new Date();
  const { written, contents } = await dumpTo(upload, run);
  await upload.finish(written.checksum);
  const manifest: Manifest = {
    version: MANIFEST_VERSION,
    file,
    format: options.jobs > 1 ? "directory" : "custom",
    release: options.release ?? null,
    project: options.project,
    stack: options.stack,
    app: options.app,
    begunAt: begunAt.toISOString(),
    completedAt: new Date().toISOString(),
    database: facts.database,
    server: facts.server,
    client,
    migrations: {
      fingerprint: options.fingerprint,
      last: facts.applied.names.at(-1) ?? null,
      count: facts.applied.names.length,
    },
    tables: facts.tables,
    contents,
    archiveBytes: written.archiveBytes,
    fileBytes: written.fileBytes,
    checksum: written.checksum.toString("hex"),
    recipients: [...options.recipients],
  };
  await store.write(`${options.name}${ENDINGS.manifest}`, manifestText(manifest));
  const took = formatDuration(Date.now() - begunAt.getTime());
  log.event(
    "dump.stored",
    `Stored ${store.location(file)}: ${formatBytes(written.fileBytes)} in ${took}, ${contents.entries} entries, sha-256 ${manifest.checksum}.`,
    { file, bytes: written.fileBytes },
  );
  return manifest;
}

/** Runs `pg_dump` in the other container, and stores its archive. */
async function dumpTo(
  upload: Upload,
  { options, target, pod, log, signal }: DumpRun,
): Promise<{ written: Written; contents: Contents }> {
  const password = target.auth === "iam" ? await iamToken(target) : target.password;
  log.hide(password);
  const connection = await libpqConnection(target, password, pod.authorities);
  const archive = readFifo(pod.path("archive"));
  archive.on("error", () => undefined);
  const over = new AbortController();
  over.signal.addEventListener("abort", () => archive.destroy(), { once: true });
  const stop = () => over.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const watched = pod.watchClient(options.silent, () => over.abort(new DumpVanished(options.silent / 1000)));
  try {
    pod.begin(connection);
    log.event("dump.begun", `pg_dump has begun; the longest wait for a table's lock is ${options.lockTimeout}.`);
    return await unlessAborted(over.signal, archived(archive, upload, { options, target, pod, signal: over.signal }));
  } finally {
    watched();
    signal.removeEventListener("abort", stop);
    archive.destroy();
  }
}

/**
 * Stores the archive while `pg_dump` makes it, and checks its end and its table of contents. That of a parallel dump is
 * read from its folder, and not from what passes here.
 */
async function archived(
  archive: Readable,
  upload: Upload,
  { options, target, pod, signal }: Pick<DumpRun, "options" | "target" | "pod" | "signal">,
): Promise<{ written: Written; contents: Contents }> {
  const { recipients, lockTimeout, jobs } = options;
  const head = jobs > 1 ? NO_HEAD : await writeHead(pod.path("head"), ANSWER_MS, signal);
  const written = await passOn(archive, { head, upload, recipients, begun: () => pod.forgetConnection() });
  await checkEnd(pod, { where: describeTarget(target), lockTimeout, signal });
  return { written, contents: await checkedContents(pod, signal) };
}

/** Checks that `pg_dump` ended well, and not only that its output ended. */
async function checkEnd(pod: Pod, context: { where: string; lockTimeout: string; signal: AbortSignal }): Promise<void> {
  const status = await pod.waitFor("dumpStatus", ANSWER_MS, context.signal);
  if (status === undefined) throw new DumpVanished(ANSWER_MS / 1000);
  if (Number(status) !== 0) throw dumpFailure(pod.read("dumpErrors") ?? "", { ...context, status: Number(status) });
}

/** Checks that `pg_restore` could read the table of contents. */
async function checkedContents(pod: Pod, signal: AbortSignal): Promise<Contents> {
  const status = await pod.waitFor("listStatus", ANSWER_MS, signal);
  if (status === undefined) throw new ContentsUnreadable(`it gave no answer within ${ANSWER_MS / 1000} s`);
  const messages = (pod.read("listErrors") ?? "").split("\n").filter((line) => line !== "");
  if (Number(status) !== 0) throw new ContentsUnreadable(`its exit status is ${Number(status)}`, messages);
  const contents = readContents(pod.read("list") ?? "");
  if (contents.entries === 0) throw new ContentsUnreadable("it lists nothing", messages);
  return contents;
}

/**
 * Checks that the client can dump the server.
 * @returns the client's version
 */
function checkedClient(printed: string, image: string, { server, serverMajor }: DatabaseFacts): string {
  const [version, major] = /(\d+)(?:\.\d+|devel|beta\d*|rc\d*)*/.exec(printed) ?? [];
  if (version === undefined) throw new ClientMissing(image, serverMajor);
  if (Number(major) < serverMajor) throw new ClientTooOld(image, version, server, serverMajor);
  return version;
}

function folderOf(name: string): string {
  return name.split("/").slice(0, -1).join("/");
}
