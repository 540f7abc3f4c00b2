import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { encrypted } from "../encryption";
import type { Upload } from "../stores/store";
import type { Head } from "./fifo";

/** What was written of an archive. */
export interface Written {
  /** The bytes of the archive itself, and those of the file with its encryption. */
  readonly archiveBytes: number;
  readonly fileBytes: number;
  /** The sha-256 of the file. */
  readonly checksum: Buffer;
}

/**
 * Passes an archive on while it is made: its head in plain text to the reader of its table of contents, and all of it
 * encrypted to the store. Only a few pieces are in memory at a time.
 *
 * @param begun called once, with the first piece
 */
export async function passOn(
  archive: Readable,
  { head, upload, recipients, begun }: { head: Head; upload: Upload; recipients: readonly string[]; begun: () => void },
): Promise<Written> {
  let archiveBytes = 0;
  async function* plain(): AsyncGenerator<Uint8Array> {
    for await (const piece of archive as AsyncIterable<Uint8Array>) {
      if (archiveBytes === 0) begun();
      archiveBytes += piece.length;
      await head.write(piece);
      yield piece;
    }
    head.end();
  }
  let fileBytes = 0;
  const hash: Hash = createHash("sha256");
  for await (const piece of await encrypted(plain(), recipients)) {
    fileBytes += piece.length;
    hash.update(piece);
    await upload.write(piece);
  }
  return { archiveBytes, fileBytes, checksum: hash.digest() };
}
