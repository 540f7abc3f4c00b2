import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Fault } from "../aws/faults";
import { type AccessKey, refusedSignature } from "../signature";
import { Objects, S3Error } from "./objects";

/** What a store needs to run. */
export interface S3Options {
  /** The folder of its buckets. */
  directory: string;
  credentials: AccessKey;
  /** Whether a fault is set now. Default: none is. */
  hasFault?: (fault: Fault) => boolean;
}

/** One request, with the parts of its URL. */
interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  objects: Objects;
  bucket: string;
  key: string;
  query: URLSearchParams;
  hasFault: (fault: Fault) => boolean;
}

/**
 * Makes a server that speaks as much of S3's protocol as a dump needs: objects, uploads in parts, lists, checksums and
 * signatures. It is a stand-in for Amazon's and is refused nothing that S3 would refuse only by a policy.
 */
export function createS3Server({ directory, credentials, hasFault = () => false }: S3Options): Server {
  const objects = new Objects(directory);
  return createServer((request, response) => {
    const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
    const [, bucket = "", ...rest] = pathname.split("/").map(decodeURIComponent);
    const asked = { request, response, objects, bucket, key: rest.join("/"), query, hasFault };
    answer(asked, credentials).catch((error: Error) => {
      if (response.headersSent || request.destroyed) response.destroy();
      else refuse(response, error instanceof S3Error ? error : new S3Error("InternalError", 500, error.message));
      request.resume();
    });
  });
}

async function answer(asked: Asked, credentials: AccessKey): Promise<void> {
  const { request, objects, bucket, key, query, hasFault } = asked;
  const refused = hasFault("store-refuses") ? "AccessDenied" : refusedSignature(request, credentials);
  if (refused) throw new S3Error(refused, 403, REFUSALS[refused]);
  objects.checkBucket(bucket);
  const verb = request.method ?? "GET";
  const operation = OPERATIONS.find(
    ([method, needs, onKey]) => method === verb && onKey === (key !== "") && needs.every((name) => query.has(name)),
  );
  if (!operation) throw new S3Error("NotImplemented", 501, `The local cloud does not know ${verb} of this kind.`);
  await operation[3](asked);
}

const REFUSALS = {
  AccessDenied: "Access Denied",
  InvalidAccessKeyId: "The AWS Access Key Id you provided does not exist in our records.",
  SignatureDoesNotMatch: "The request signature we calculated does not match the signature you provided.",
} as const;

/** The operations: method, parameters of the query, whether they are about an object, and what they do. */
const OPERATIONS: readonly [string, string[], boolean, (asked: Asked) => Promise<void>][] = [
  ["POST", ["uploads"], true, beginUpload],
  ["POST", ["uploadId"], true, completeUpload],
  ["PUT", ["partNumber", "uploadId"], true, putPart],
  ["PUT", [], true, putObject],
  [
    "DELETE",
    ["uploadId"],
    true,
    async ({ objects, query, response }) => {
      objects.checkUpload(query.get("uploadId")!);
      objects.abortUpload(query.get("uploadId")!);
      response.writeHead(204).end();
    },
  ],
  [
    "DELETE",
    [],
    true,
    async ({ objects, bucket, key, response }) => {
      objects.remove(bucket, key);
      response.writeHead(204).end();
    },
  ],
  ["HEAD", [], true, readObject],
  ["GET", [], true, readObject],
  ["GET", ["uploads"], false, listUploads],
  ["GET", ["list-type"], false, listObjects],
];

async function putObject(asked: Asked): Promise<void> {
  const { request, response, objects, bucket, key } = asked;
  failIfAsked(asked);
  const { digest, record } = await objects.put(bucket, key, request);
  if (isDamaged(asked, digest)) {
    objects.remove(bucket, key);
    throw new S3Error("BadDigest", 400, "The SHA256 you specified did not match the calculated checksum.");
  }
  response.writeHead(200, { etag: `"${record.etag}"` }).end();
}

async function putPart(asked: Asked): Promise<void> {
  const { request, response, objects, query, hasFault } = asked;
  const id = query.get("uploadId")!;
  const part = Number(query.get("partNumber"));
  objects.checkUpload(id);
  failIfAsked(asked);
  if (hasFault("store-breaks")) {
    request.socket.destroy();
    return;
  }
  const { digest, etag } = await objects.putPart(id, part, request);
  if (isDamaged(asked, digest)) {
    objects.removePart(id, part);
    throw new S3Error("BadDigest", 400, "The SHA256 you specified did not match the calculated checksum.");
  }
  response.writeHead(200, { etag: `"${etag}"`, "x-amz-checksum-sha256": digest }).end();
}

/** Whether a body is not the one that its sender has announced. */
function isDamaged({ request: { headers } }: Asked, digest: string): boolean {
  const announced = headers["x-amz-checksum-sha256"];
  const payload = String(headers["x-amz-content-sha256"] ?? "");
  const hexadecimal = Buffer.from(digest, "base64").toString("hex");
  return (
    (announced !== undefined && announced !== digest) || (/^[0-9a-f]{64}$/.test(payload) && payload !== hexadecimal)
  );
}

function failIfAsked({ hasFault }: Asked): void {
  if (hasFault("store-full"))
    throw new S3Error("XMinioStorageFull", 507, "Storage backend has reached its minimum free drive threshold.");
}

async function beginUpload({ objects, bucket, key, response }: Asked): Promise<void> {
  const id = objects.beginUpload(bucket, key);
  xml(response, "InitiateMultipartUploadResult", [
    ["Bucket", bucket],
    ["Key", key],
    ["UploadId", id],
  ]);
}

async function completeUpload({ objects, bucket, key, query, request, response }: Asked): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const parts = [
    ...Buffer.concat(chunks)
      .toString()
      .matchAll(/<PartNumber>(\d+)<\/PartNumber>/g),
  ];
  const numbers = parts.map(([, number]) => Number(number));
  const record = await objects.completeUpload(query.get("uploadId")!, numbers);
  const { etag, checksum } = record;
  xml(response, "CompleteMultipartUploadResult", [
    ["Bucket", bucket],
    ["Key", key],
    ["ETag", `"${etag}"`],
    ["ChecksumSHA256", checksum],
  ]);
}

/** The bytes of an object after which the fault `store-breaks` ends a reading. */
const BREAKS_AFTER = 1024 * 1024;

async function readObject({ objects, bucket, key, request, response, hasFault }: Asked): Promise<void> {
  const record = objects.record(bucket, key);
  if (!record) throw new S3Error("NoSuchKey", 404, "The specified key does not exist.");
  const checksum = hasFault("store-corrupts") ? Buffer.alloc(32).toString("base64") : record.checksum;
  // Only the form that a reading goes on with: from a byte to the end.
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const { "if-match": wanted } = request.headers;
  if (wanted !== undefined && wanted !== `"${record.etag}"`)
    throw new S3Error("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold");
  const last = record.bytes - 1;
  response.writeHead(start > 0 ? 206 : 200, {
    "content-length": record.bytes - start,
    ...(start > 0 ? { "content-range": `bytes ${start}-${last}/${record.bytes}` } : {}),
    etag: `"${record.etag}"`,
    "last-modified": new Date(record.modified).toUTCString(),
    ...(request.headers["x-amz-checksum-mode"] === "ENABLED" ? { "x-amz-checksum-sha256": checksum } : {}),
  });
  if (request.method === "HEAD") response.end();
  else if (hasFault("store-breaks") && record.bytes - start > BREAKS_AFTER) {
    for await (const piece of objects.read(bucket, key, { start, end: start + BREAKS_AFTER })) response.write(piece);
    response.destroy();
  } else await pipeline(objects.read(bucket, key, { start }), response);
}

async function listUploads({ objects, bucket, query, response }: Asked): Promise<void> {
  const found = objects.uploads(bucket, query.get("prefix") ?? "");
  const entries = found.map(({ id, key, begun }): Element => {
    return [
      "Upload",
      [
        ["Key", key],
        ["UploadId", id],
        ["Initiated", begun],
      ],
    ];
  });
  xml(response, "ListMultipartUploadsResult", [["IsTruncated", "false"], ...entries]);
}

async function listObjects({ objects, bucket, query, response }: Asked): Promise<void> {
  const entries = objects.keys(bucket, query.get("prefix") ?? "").map((key): Element => {
    const { bytes, etag, modified } = objects.record(bucket, key)!;
    return [
      "Contents",
      [
        ["Key", key],
        ["Size", String(bytes)],
        ["ETag", `"${etag}"`],
        ["LastModified", modified],
      ],
    ];
  });
  xml(response, "ListBucketResult", [["KeyCount", String(entries.length)], ["IsTruncated", "false"], ...entries]);
}

/** A part of an answer in XML: a text, or elements by their names. */
type Content = string | readonly Element[];
type Element = readonly [name: string, content: Content];

function written(content: Content): string {
  if (typeof content !== "string")
    return content.map(([name, inner]) => `<${name}>${written(inner)}</${name}>`).join("");
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function xml(response: ServerResponse, root: string, elements: readonly Element[]): void {
  response
    .writeHead(200, { "content-type": "application/xml" })
    .end(`<?xml version="1.0" encoding="UTF-8"?>\n${written([[root, elements]])}`);
}

function refuse(response: ServerResponse, { code, status, message }: S3Error): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${written([
    [
      "Error",
      [
        ["Code", code],
        ["Message", message],
      ],
    ],
  ])}`;
  response.writeHead(status, { "content-type": "application/xml" }).end(text);
}
