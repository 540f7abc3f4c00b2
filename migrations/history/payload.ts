import { gunzipSync, gzipSync } from "node:zlib";
import { checksumOf, type Migration } from "./history";

/** The data that a Job's pod receives: the history, and the plan that was made from it, if there is one. */
export interface Payload {
  readonly migrations: Migration[];
  readonly plan?: unknown;
}

/**
 * The largest number of bytes in one piece. Each piece is stored in one ConfigMap, which Kubernetes limits to 1 MiB,
 * and base64 encodes 3 bytes as 4. Source: kubernetes/kubernetes, ValidateConfigMap (MaxSecretSize).
 */
export const payloadPieceBytes = 768 * 1024;

/**
 * The largest payload that is unpacked (256 MiB). A larger one is a mistake
 * or an attack and would exceed the pod's memory.
 */
const largestPayload = 256 * 1024 * 1024;

/** The pieces are not what `encodePayload` returned: they are truncated, out of order, or changed. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
}

/** The name of the file (and of the ConfigMap's key) for the piece with this number, counted from 0. */
export function payloadKey(index: number): string {
  return `payload-${index}`;
}

/** Packs the history into one or more pieces of at most 768 KiB. The same history always results in the same bytes. */
export function encodePayload(history: readonly Migration[], plan?: unknown): Buffer[] {
  const migrations = history.map(({ name, sql, checksum }) => ({ name, sql, checksum }));
  const packed = gzipSync(JSON.stringify(plan === undefined ? { migrations } : { migrations, plan }), { level: 6 });
  // Byte 9 of a gzip file names the operating system that compressed it. 255 means unknown,
  // so that a laptop and CI produce the same bytes.
  packed[9] = 255;
  const pieces: Buffer[] = [];
  for (let at = 0; at < packed.length; at += payloadPieceBytes)
    pieces.push(packed.subarray(at, at + payloadPieceBytes));
  return pieces;
}

/**
 * The inverse of `encodePayload`. The pieces must be in their order.
 * @throws PayloadError when the pieces are incomplete, or a migration doesn't match its checksum
 */
export function decodePayload(pieces: readonly Uint8Array[]): Payload {
  const payload = parse(pieces);
  for (const { name, sql, checksum } of payload.migrations) {
    const actual = checksumOf(sql);
    if (actual !== checksum)
      throw new PayloadError(
        `The payload was changed: ${name} has checksum ${actual}, but was packed with ${checksum}.`,
      );
  }
  return payload;
}

function parse(pieces: readonly Uint8Array[]): Payload {
  let value: unknown;
  try {
    value = JSON.parse(gunzipSync(Buffer.concat(pieces), { maxOutputLength: largestPayload }).toString("utf8"));
  } catch (error) {
    const reason = (error as Error).message;
    throw new PayloadError(
      `The payload of ${pieces.length} pieces can't be unpacked (${reason}): is one missing or out of order?`,
    );
  }
  if (!isPayload(value))
    throw new PayloadError("The payload holds no list of migrations: it was made by another version.");
  return value;
}

function isPayload(value: unknown): value is Payload {
  const migrations = (value as Partial<Payload> | null)?.migrations;
  return (
    Array.isArray(migrations) &&
    migrations.every((migration) =>
      (["name", "sql", "checksum"] as const).every((key) => typeof migration?.[key] === "string"),
    )
  );
}
