import { DumpDamaged } from "../failures/reading";
import type { Manifest } from "../manifest";
import type { Store } from "../stores/store";

/** The most bytes that the header of a file of age may have here: about 200 public keys. */
const MOST_BYTES = 64 * 1024;

/**
 * Reads the header of an encrypted dump: the key of this one file, encrypted to each public key. It ends with the line
 * that begins with `---`. It is no secret: without a private key it says nothing.
 *
 * @returns the header in base64; undefined if the dump is not encrypted
 * @throws DumpDamaged if the file doesn't begin like one of age
 */
export async function readHeader(store: Store, manifest: Manifest): Promise<string | undefined> {
  if (manifest.recipients.length === 0) return undefined;
  let head = Buffer.alloc(0);
  for await (const piece of await store.stream(manifest.file)) {
    head = Buffer.concat([head, piece]);
    const end = /\n--- [A-Za-z0-9+/]+\n/.exec(head.toString("latin1"));
    if (end) return head.subarray(0, end.index + end[0].length).toString("base64");
    if (head.length > MOST_BYTES) break;
  }
  throw new DumpDamaged(store.location(manifest.file), "it doesn't begin like a file of age");
}
