import { createHash, randomBytes } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  promises as fs,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readJson, writeAtomically } from "../../../text/atomic";

/** The size of the pieces in which parts are put together: a store must not take the time of a dump. */
const PIECE_BYTES = 1024 * 1024;

/** What is kept of an object beside its bytes. */
export interface ObjectRecord {
  bytes: number;
  etag: string;
  /** The checksum as S3 states it: base64, of an object in parts with their number behind it. */
  checksum: string;
  modified: string;
}

/** An upload in parts that isn't finished. */
export interface UploadRecord {
  bucket: string;
  key: string;
  begun: string;
}

/** An error with a code of S3. */
export class S3Error extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The buckets, objects and unfinished uploads of a store, as files. */
export class Objects {
  constructor(private readonly root: string) {}

  makeBucket(bucket: string): void {
    for (const folder of ["records", "content"])
      mkdirSync(join(this.bucket(bucket), folder), { recursive: true, mode: 0o700 });
  }

  /** @throws S3Error NoSuchBucket */
  checkBucket(bucket: string): void {
    if (!existsSync(this.bucket(bucket))) throw new S3Error("NoSuchBucket", 404, "The specified bucket does not exist");
  }

  record(bucket: string, key: string): ObjectRecord | undefined {
    return readJson<ObjectRecord>(this.recordFile(bucket, key));
  }

  /** @param range the first byte that is read, and the one behind the last; default: all */
  read(bucket: string, key: string, range: { start?: number; end?: number } = {}): Readable {
    const { start = 0, end } = range;
    return createReadStream(this.object(bucket, key), { start, ...(end === undefined ? {} : { end: end - 1 }) });
  }

  keys(bucket: string, prefix: string): string[] {
    return readdirSync(join(this.bucket(bucket), "records"))
      .map(decodeURIComponent)
      .filter((key) => key.startsWith(prefix))
      .sort();
  }

  remove(bucket: string, key: string): void {
    for (const file of [this.recordFile(bucket, key), this.object(bucket, key)]) rmSync(file, { force: true });
  }

  async put(bucket: string, key: string, body: Readable): Promise<{ record: ObjectRecord; digest: string }> {
    const draft = join(this.bucket(bucket), `.${randomBytes(6).toString("hex")}`);
    const { digest, etag } = await written(draft, body);
    const record = { bytes: statSync(draft).size, etag, checksum: digest, modified: new Date().toISOString() };
    return { digest, record: await this.keep(bucket, key, draft, record) };
  }

  beginUpload(bucket: string, key: string): string {
    const id = randomBytes(12).toString("hex");
    mkdirSync(this.upload(id), { recursive: true, mode: 0o700 });
    const record: UploadRecord = { bucket, key, begun: new Date().toISOString() };
    writeAtomically(join(this.upload(id), "upload.json"), JSON.stringify(record));
    return id;
  }

  /** @throws S3Error NoSuchUpload */
  checkUpload(id: string): UploadRecord {
    const record = readJson<UploadRecord>(join(this.upload(id), "upload.json"));
    if (!record) throw new S3Error("NoSuchUpload", 404, "The specified multipart upload does not exist.");
    return record;
  }

  uploads(bucket: string, prefix: string): (UploadRecord & { id: string })[] {
    const folder = join(this.root, "uploads");
    const ids = existsSync(folder) ? readdirSync(folder) : [];
    return ids
      .map((id) => ({ id, ...this.checkUpload(id) }))
      .filter((each) => each.bucket === bucket && each.key.startsWith(prefix));
  }

  putPart(id: string, part: number, body: Readable): Promise<{ digest: string; etag: string }> {
    return written(this.part(id, part), body);
  }

  removePart(id: string, part: number): void {
    rmSync(this.part(id, part), { force: true });
  }

  abortUpload(id: string): void {
    rmSync(this.upload(id), { recursive: true, force: true });
  }

  /** Makes an object of parts. The checksum is made of what is on the disk. */
  async completeUpload(id: string, parts: readonly number[]): Promise<ObjectRecord> {
    const { bucket, key } = this.checkUpload(id);
    const draft = join(this.bucket(bucket), `.${id}`);
    const digests: Buffer[] = [];
    for (const [index, part] of parts.entries()) {
      if (!existsSync(this.part(id, part)))
        throw new S3Error("InvalidPart", 400, `The part ${part} could not be found.`);
      const hash = createHash("sha256");
      const from = createReadStream(this.part(id, part), { highWaterMark: PIECE_BYTES });
      from.on("data", (piece) => hash.update(piece));
      await pipeline(from, createWriteStream(draft, { flags: index === 0 ? "w" : "a", highWaterMark: PIECE_BYTES }));
      digests.push(hash.digest());
    }
    const whole = createHash("sha256").update(Buffer.concat(digests)).digest();
    const record: ObjectRecord = {
      bytes: statSync(draft).size,
      etag: `${whole.toString("hex").slice(0, 32)}-${parts.length}`,
      checksum: `${whole.toString("base64")}-${parts.length}`,
      modified: new Date().toISOString(),
    };
    await this.keep(bucket, key, draft, record);
    this.abortUpload(id);
    return record;
  }

  private async keep(bucket: string, key: string, draft: string, record: ObjectRecord): Promise<ObjectRecord> {
    await fs.rename(draft, this.object(bucket, key));
    writeAtomically(this.recordFile(bucket, key), JSON.stringify(record));
    return record;
  }

  private bucket(bucket: string): string {
    return join(this.root, "buckets", encodeURIComponent(bucket));
  }

  private object(bucket: string, key: string): string {
    return join(this.bucket(bucket), "content", encodeURIComponent(key));
  }

  private recordFile(bucket: string, key: string): string {
    return join(this.bucket(bucket), "records", encodeURIComponent(key));
  }

  private upload(id: string): string {
    return join(this.root, "uploads", encodeURIComponent(id));
  }

  private part(id: string, part: number): string {
    return join(this.upload(id), `part-${part}`);
  }
}

async function written(path: string, body: Readable): Promise<{ digest: string; etag: string }> {
  const hash = createHash("sha256");
  const tag = createHash("md5");
  body.on("data", (piece: Buffer) => {
    hash.update(piece);
    tag.update(piece);
  });
  try {
    await pipeline(body, createWriteStream(path));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return { digest: hash.digest("base64"), etag: tag.digest("hex") };
}
