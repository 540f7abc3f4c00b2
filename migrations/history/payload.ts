import { gunzipSync, gzipSync } from "node:zlib";
import { checksumOf, type Migration } from "./history";

/** What a Job's pod gets to know: the history, and the plan that was made of it, if any. */
export interface Payload {
  readonly migrations: Migration[];
  readonly plan?: unknown;
}

/**
 * Bytes in one piece: a piece is one ConfigMap, and Kubernetes takes no more than 1 MiB in one, of which base64 makes 4 bytes of 3.
 * Source: kubernetes/kubernetes, ValidateConfigMap (MaxSecretSize).
 */
export const payloadPieceBytes = 768 * 1024;

/** More than this is no history but a mistake or an attack: it would exceed the pod's memory. */
const largestPayload = 256 * 1024 * 1024;

/** A payload that isn't what was encoded: truncated, out of order, or changed. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
}

/** File (and ConfigMap key) of the piece with this number, counted from 0. */
export function payloadKey(index: number): string {
  return `payload-${index}`;
}

/** The history as pieces of at most 768 KiB, at least one; the same history gives the same bytes. */
export function encodePayload(history: readonly Migration[], plan?: unknown): Buffer[] {
  const migrations = history.map(({ name, sql, checksum }) => ({ name, sql, checksum }));
  const packed = gzipSync(JSON.stringify(plan === undefined ? { migrations } : { migrations, plan }), { level: 6 });
  // Byte 9 names the operating system that compressed: 255, unknown, so that a laptop and CI make the same bytes.
  packed[9] = 255;
  const pieces: Buffer[] = [];
  for (let at = 0; at < packed.length; at += payloadPieceBytes)
    pieces.push(packed.subarray(at, at + payloadPieceBytes));
  return pieces;
}

/**
 * The inverse of `encodePayload`; the pieces in their order.
 * @throws PayloadError when the pieces are not complete, or a migration is not the one its checksum names.
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
