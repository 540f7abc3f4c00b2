import { StoreRefused } from "../failures/store";
import { type Manifest, parseManifest } from "../manifest";
import { backupName } from "../names";
import { PARALLEL_ENDINGS } from "../parallel";
import { ENDINGS } from "../pod-folder";
import type { Store } from "../stores/store";
import type { StoredBackup } from "./choose";
import type { BackupOwner, PrunedStore } from "./prune";

/** A dump of the stack in its store. */
interface StoredDump extends StoredBackup {
  /** The name of the dump's own file; the manifest has the same name with another ending. */
  readonly file: string;
  /** The manifest as it is stored. */
  readonly text: string;
  /** Whether a removal of it has begun that was not finished. */
  readonly marked: boolean;
}

/** The beginning of a manifest's or a removal's name: the app, twelve digits of the migrations, and the attempt. */
const NAME = /^(.+)-[0-9a-f]{12}(?:-([1-9]\d{0,8}))?$/;

/**
 * Finds the dumps of a stack, by their manifests. Any file whose name or content is not exactly that of a dump of this
 * stack is left out, also a dump without a manifest.
 *
 * @param store where they are
 */
export async function dumpStore(store: Store, owner: BackupOwner): Promise<PrunedStore<StoredDump>> {
  const folder = backupName(owner, "", 1).split("/")[0]!;
  const names = await store.list(folder);
  const known = new Set(names.map((name) => `${folder}/${name}`));
  const dumps: StoredDump[] = [];
  const halfRemoved: StoredDump[] = [];
  const of = (ending: string) =>
    names.flatMap((name) => (name.endsWith(ending) ? [`${folder}/${name.slice(0, -ending.length)}`] : []));
  for (const id of of(ENDINGS.manifest)) {
    const marked = known.has(`${id}${ENDINGS.removal}`);
    const dump = await readOwn(store, { id, ending: ENDINGS.manifest, owner, marked });
    // A dump whose file is gone, as by a lifecycle rule, can't be restored any more.
    if (dump) dumps.push(known.has(dump.file) ? dump : { ...dump, state: "failed" });
  }
  for (const id of of(ENDINGS.removal)) {
    if (known.has(`${id}${ENDINGS.manifest}`)) continue;
    const left = await readOwn(store, { id, ending: ENDINGS.removal, owner, marked: true });
    if (left) halfRemoved.push(left);
  }
  return {
    ...{ title: store.title, backups: dumps, halfRemoved },
    remove: (dump) => (halfRemoved.includes(dump) ? finishRemoval(store, dump) : removeDump(store, dump)),
    keep: async (dump) => {
      if (dump.marked) await forgetRemoval(store, dump);
    },
    refusal: (error) => (error instanceof StoreRefused ? error.message : undefined),
  };
}

async function readOwn(
  store: Store,
  { id, ending, owner, marked }: { id: string; ending: string; owner: BackupOwner; marked: boolean },
): Promise<StoredDump | undefined> {
  const [, app, attempt = "1"] = NAME.exec(id.split("/").at(-1) ?? "") ?? [];
  if (app !== owner.app) return undefined;
  const text = await store.read(`${id}${ending}`);
  const manifest = text === undefined ? undefined : parseManifest(text);
  if (text === undefined || !manifest || !isOwn(manifest, { id, attempt: Number(attempt), owner })) return undefined;
  return { ...{ id, file: manifest.file, text, marked }, begunAt: new Date(manifest.begunAt), state: "complete" };
}

function isOwn(
  { project, stack, app, file, migrations }: Manifest,
  { id, attempt, owner }: { id: string; attempt: number; owner: BackupOwner },
): boolean {
  const named = project === owner.project && stack === owner.stack && app === owner.app;
  const endings = [ENDINGS, PARALLEL_ENDINGS].flatMap(({ encrypted, plain }) => [encrypted, plain]);
  const files = endings.map((ending) => `${id}${ending}`);
  return named && id === backupName(owner, migrations.fingerprint, attempt) && files.includes(file);
}

/**
 * Removes a dump: it notes the removal, then removes the manifest, the dump and the note. So a manifest never promises a
 * dump that is gone, and whatever a killed removal leaves is finished by the next one.
 *
 * @throws the failure of the store, after which the dump is there as before
 */
async function removeDump(store: Store, { id, file, text, marked }: StoredDump): Promise<void> {
  const note = `${id}${ENDINGS.removal}`;
  const manifest = `${id}${ENDINGS.manifest}`;
  if (!marked) await store.write(note, text);
  try {
    await store.remove(manifest);
  } catch (error) {
    await store.remove(note).catch(() => undefined);
    throw error;
  }
  try {
    await store.remove(file);
  } catch (error) {
    await store.write(manifest, text);
    await store.remove(note).catch(() => undefined);
    throw error;
  }
  await store.remove(note);
}

/** Finishes a removal that was killed after its manifest was gone. */
async function finishRemoval(store: Store, { id, file }: StoredDump): Promise<void> {
  await store.remove(file);
  await store.remove(`${id}${ENDINGS.removal}`);
}

/** Takes back the note of a removal that was killed before it began, of a dump that stays. */
async function forgetRemoval(store: Store, { id }: StoredDump): Promise<void> {
  await store.remove(`${id}${ENDINGS.removal}`);
}
