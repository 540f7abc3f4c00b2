import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { isNotFound, storeFailure } from "./s3-errors";
import { readObject } from "./s3-read";
import { beginMultipart } from "./s3-upload";
import type { Store } from "./store";

/** Where a bucket is, and where its objects begin. The credentials come from where the AWS SDK looks for them. */
export interface S3Place {
  readonly bucket: string;
  /** The beginning of the names of all objects, without a slash at its end; empty for none. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/** Reads `s3://bucket/prefix`. */
export function parseS3(url: string): Pick<S3Place, "bucket" | "prefix"> {
  const [bucket = "", ...rest] = url.replace(/^s3:\/\//, "").split("/");
  return { bucket, prefix: rest.join("/") };
}

/** The limits of one call: to connect, to wait for the next byte, and to get an answer. A part is a call of its own. */
const LIMITS = { connectionTimeout: 10_000, socketTimeout: 60_000, requestTimeout: 300_000 };

/** Opens a bucket. Nothing is asked of it yet. */
export function s3Store({ bucket, prefix, endpoint, region }: S3Place): Store {
  // The SDK would warn on Node 20 that later versions of it need a later Node. Its version here is pinned.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const client = new S3Client({
    region: region ?? process.env["AWS_REGION"] ?? "us-east-1",
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    // A store that isn't Amazon's may not know the checksums that the SDK would add by itself.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 5,
    requestHandler: { ...LIMITS, throwOnRequestTimeout: true },
  });
  const title = `the bucket ${bucket}`;
  const place = (file: string) => ({ Bucket: bucket, Key: prefix === "" ? file : `${prefix}/${file}` });
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeFailure(error, title);
    }
  };
  const unlessMissing = <T>(work: () => Promise<T>) =>
    asked(() =>
      work().catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    );
  return {
    title,
    location: (file) => `s3://${bucket}/${place(file).Key}`,
    read: (file) =>
      unlessMissing(async () => (await client.send(new GetObjectCommand(place(file)))).Body?.transformToString()),
    write: (file, text) =>
      asked(async () => {
        const Body = Buffer.from(text);
        const ChecksumSHA256 = createHash("sha256").update(Body).digest("base64");
        await client.send(
          new PutObjectCommand({ ...place(file), Body, ChecksumSHA256, ContentType: "application/json" }),
        );
      }),
    size: (file) => unlessMissing(async () => (await client.send(new HeadObjectCommand(place(file)))).ContentLength),
    stream: (file) => asked(() => readObject(client, place(file), title)),
    list: (folder) =>
      asked(async () => {
        const Prefix = `${place(folder).Key}/`;
        const found: string[] = [];
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix }))
          found.push(...Contents.map(({ Key = "" }) => Key.slice(Prefix.length)));
        return found.filter((name) => name !== "" && !name.includes("/"));
      }),
    remove: (file) => asked(async () => void (await client.send(new DeleteObjectCommand(place(file))))),
    removeUnfinished: (folder) =>
      asked(async () => {
        const Prefix = `${place(folder).Key}/`;
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }));
        for (const { Key, UploadId } of Uploads)
          await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
        return Uploads.length;
      }),
    begin: (file, mostBytes) => asked(() => beginMultipart({ client, title, ...place(file) }, mostBytes)),
  };
}
