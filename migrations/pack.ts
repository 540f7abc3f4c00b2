import { fingerprint, type Migration, readHistorySync } from "./history";
import { encodePayload } from "./payload";

/** A history as a release takes it: read, named by its content, and packed for the Job's pod. */
export interface PackedHistory {
  migrations: Migration[];
  /** sha-256 (hex) of names and contents. */
  fingerprint: string;
  /** Compressed, in pieces that each fit a ConfigMap. */
  payload: Buffer[];
}

/**
 * Reads and packs a Prisma migrations folder.
 * @throws HistoryError naming everything that is wrong with it
 */
export function packHistory(directory: string): PackedHistory {
  const migrations = readHistorySync(directory);
  return {
    migrations,
    fingerprint: fingerprint(migrations),
    payload: encodePayload(migrations),
  };
}
