import { setTimeout as pause } from "node:timers/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { bodyOf, storeFailure } from "./s3-errors";

/** The number of times that a reading goes on after its connection broke, without a byte in between. */
const TRIES = 5;

/** The pause before the first of them, in milliseconds; each further one is longer by as much. */
const PAUSE_MS = 500;

/** The object that is read. */
interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Reads an object piece by piece. A large one takes hours, and whoever reads it may be slower than the store is patient:
 * so a connection that breaks is opened again at the byte where it broke, and only for the very same object.
 */
export async function readObject(client: S3Client, place: Place, title: string): Promise<AsyncIterable<Uint8Array>> {
  const first = await client.send(new GetObjectCommand(place));
  return pieces(client, { place, title, first });
}

async function* pieces(
  client: S3Client,
  { place, title, first }: { place: Place; title: string; first: Awaited<ReturnType<typeof get>> },
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let at = 0;
  for (let failed = 0; ; ) {
    try {
      for await (const piece of bodyOf(answer, title)) {
        at += piece.length;
        failed = 0;
        yield piece;
      }
      return;
    } catch (error) {
      failed += 1;
      if (failed > TRIES || first.ETag === undefined) throw error;
    }
    if (at === first.ContentLength) return;
    await pause(PAUSE_MS * failed);
    try {
      answer = await get(client, { ...place, Range: `bytes=${at}-`, IfMatch: first.ETag });
    } catch (error) {
      throw storeFailure(error, title);
    }
  }
}

function get(client: S3Client, input: Place & { Range?: string; IfMatch?: string }) {
  return client.send(new GetObjectCommand(input));
}
