import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { StoredDifferently } from "../failures/store";
import { bodyOf, storeFailure } from "./s3-errors";
import type { Upload } from "./store";

const MEBIBYTE = 1024 * 1024;

/** The size of a part. Two of them are in memory: one that is sent, and one that is filled. */
const PART_BYTES = 8 * MEBIBYTE;

/** The number of parts that an estimate may lead to. S3 allows 10,000, and an estimate may be wrong. */
const PARTS = 9000;

/** The time in which an upload must be given up, in milliseconds. Kubernetes gives the pod 30 s in all. */
const ABORT_MS = 15_000;

/** The object that is written. */
interface Written {
  readonly client: S3Client;
  readonly title: string;
  readonly Bucket: string;
  readonly Key: string;
}

/** Returns the size of the parts, so that a file of this size has few enough of them. */
export function partBytes(mostBytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(mostBytes / PARTS / MEBIBYTE) * MEBIBYTE);
}

/**
 * Begins an upload in parts. The store checks each part by its sha-256, and the whole object after the last one. The
 * object exists only after that.
 */
export async function beginMultipart(written: Written, mostBytes: number): Promise<Upload> {
  const { client, title, Bucket, Key } = written;
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "SHA256" }),
  );
  const upload = { Bucket, Key, UploadId };
  const over = new AbortController();
  const size = partBytes(mostBytes);
  let filling: Buffer = Buffer.allocUnsafe(size);
  let other: Buffer | undefined;
  let used = 0;
  let total = 0;
  const parts: (CompletedPart & { digest: Buffer })[] = [];
  let sending: Promise<void> = Promise.resolve();
  let completed = false;

  const send = async (Body: Buffer, PartNumber: number) => {
    const digest = createHash("sha256").update(Body).digest();
    const ChecksumSHA256 = digest.toString("base64");
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, Body, PartNumber, ChecksumSHA256 }), {
      abortSignal: over.signal,
    });
    parts.push({ ETag, PartNumber, ChecksumSHA256, digest });
  };
  /** Sends what is filled once the part before has arrived, and goes on with the other buffer. */
  const flush = async () => {
    await sending;
    const full = filling;
    const part = full.subarray(0, used);
    sending = send(part, parts.length + 1);
    // An error is thrown when the next part is to be sent, and must not end the process before.
    sending.catch(() => undefined);
    filling = other ?? Buffer.allocUnsafe(size);
    other = full;
    used = 0;
  };

  return {
    async write(piece) {
      try {
        for (let from = 0; from < piece.length; ) {
          const taken = Math.min(size - used, piece.length - from);
          filling.set(piece.subarray(from, from + taken), used);
          used += taken;
          from += taken;
          total += taken;
          if (used === size) await flush();
        }
      } catch (error) {
        throw storeFailure(error, title);
      }
    },
    async finish(checksum) {
      try {
        if (used > 0 || parts.length === 0) await flush();
        await sending;
        const Parts = parts.map(({ digest: _, ...part }) => part);
        await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
        completed = true;
        await verify(written, { total, checksum, parts: parts.map(({ digest }) => digest) });
      } catch (error) {
        throw storeFailure(error, title);
      }
    },
    async abort() {
      over.abort();
      await sending.catch(() => undefined);
      const abortSignal = AbortSignal.timeout(ABORT_MS);
      const command = completed ? new DeleteObjectCommand({ Bucket, Key }) : new AbortMultipartUploadCommand(upload);
      await client.send(command as AbortMultipartUploadCommand, { abortSignal }).catch(() => undefined);
    },
  };
}

/**
 * Compares the object with what was written: by the checksum of S3, which is made of those of the parts, or by reading
 * the object back from a store that keeps no checksums.
 */
async function verify(
  { client, title, Bucket, Key }: Written,
  { total, checksum, parts }: { total: number; checksum: Buffer; parts: readonly Buffer[] },
): Promise<void> {
  const location = `s3://${Bucket}/${Key}`;
  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  if (head.ContentLength !== total)
    throw new StoredDifferently(location, `it has ${head.ContentLength} bytes, and ${total} were written`);
  const expected = `${createHash("sha256").update(Buffer.concat(parts)).digest("base64")}-${parts.length}`;
  if (head.ChecksumSHA256 === expected) return;
  if (head.ChecksumSHA256 !== undefined)
    throw new StoredDifferently(location, `the store's sha-256 is ${head.ChecksumSHA256}, and not ${expected}`);
  const read = createHash("sha256");
  for await (const piece of bodyOf(await client.send(new GetObjectCommand({ Bucket, Key })), title)) read.update(piece);
  if (!read.digest().equals(checksum)) throw new StoredDifferently(location, "its sha-256 is another one");
}
