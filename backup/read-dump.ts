import { createHash } from "node:crypto";
import type { Identity } from "age-encryption";
import { decrypted } from "./encryption";
import { DumpDamaged, NoSuchDump, WrongIdentity } from "./failures/reading";
import { type Manifest, parseManifest } from "./manifest";
import { ENDINGS } from "./pod-folder";
import type { Store } from "./stores/store";

/** A dump that is read back. */
export interface ReadDump {
  readonly manifest: Manifest;
  /**
   * The archive in plain text, for the standard input of `pg_restore`. It throws {@link DumpDamaged} where the file is
   * not what was stored, at the latest at its end. What was restored of such a file must not be used.
   */
  readonly archive: AsyncIterable<Uint8Array>;
}

/**
 * Reads a dump from its store, and decrypts it. The private keys stay where this program runs.
 *
 * @param name the name of the dump, with folders and without an ending
 * @param identities the private keys of age; none for a dump that isn't encrypted
 * @throws NoSuchDump, WrongIdentity, DumpDamaged
 */
export async function readDump(store: Store, name: string, identities: readonly string[]): Promise<ReadDump> {
  const manifest = await readManifest(store, name);
  return { manifest, archive: await readDumpFile(store, manifest, identities) };
}

/**
 * Reads the file of a dump, and decrypts it.
 *
 * @param identities the private keys of age, or what else returns the key of this file
 * @returns the archive, as {@link ReadDump} describes it
 * @throws WrongIdentity, DumpDamaged
 */
export async function readDumpFile(
  store: Store,
  manifest: Manifest,
  identities: readonly (string | Identity)[],
): Promise<ReadDump["archive"]> {
  const location = store.location(manifest.file);
  const checked = checkedPieces(await store.stream(manifest.file), manifest, location);
  if (manifest.recipients.length === 0) return checked;
  try {
    return undamaged(await decrypted(checked, identities), location);
  } catch (error) {
    throw readingFailure(error, location, manifest);
  }
}

/**
 * Reads the manifest of a dump.
 * @throws NoSuchDump
 */
export async function readManifest(store: Store, name: string): Promise<Manifest> {
  const file = `${name}${ENDINGS.manifest}`;
  const text = await store.read(file);
  const manifest = text === undefined ? undefined : parseManifest(text);
  if (!manifest) throw new NoSuchDump(store.location(file));
  return manifest;
}

/**
 * Reads the whole file of a dump once, and compares it with its manifest. It needs no key.
 * @throws DumpDamaged
 */
export async function checkDump(store: Store, manifest: Manifest): Promise<void> {
  const pieces = checkedPieces(await store.stream(manifest.file), manifest, store.location(manifest.file));
  for await (const _ of pieces);
}

/** Passes the pieces of a file on, and compares size and checksum at its end. */
async function* checkedPieces(
  pieces: AsyncIterable<Uint8Array>,
  { fileBytes, checksum }: Manifest,
  location: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
    yield piece;
  }
  if (bytes !== fileBytes) throw new DumpDamaged(location, `it has ${bytes} of ${fileBytes} bytes`);
  if (hash.digest("hex") !== checksum)
    throw new DumpDamaged(location, "its sha-256 is another one than that of its manifest");
}

async function* undamaged(pieces: AsyncIterable<Uint8Array>, location: string): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw readingFailure(error, location);
  }
}

/** Returns the failure for an error of age. */
function readingFailure(error: unknown, location: string, manifest?: Manifest): Error {
  const { message } = error as Error;
  if (/no identity matched/.test(message)) return new WrongIdentity(location, manifest?.recipients ?? []);
  if (/invalid|final chunk|too small|unexpected/i.test(message))
    return new DumpDamaged(location, "its encryption says that bytes were changed or are missing");
  return error as Error;
}
