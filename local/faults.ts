import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, UnreadableFile, writeAtomically } from "../text/atomic";
import type { Fault } from "./cloud/aws/faults";

/** The faults that can be set in the local cloud. In addition, an image whose tag ends in `-unready` is never ready. */
export const FAULTS: Record<Fault, string> = {
  "snapshot-fails": "the next snapshots end as failed",
  "snapshot-stays-creating": "snapshots are never available",
  "snapshot-copy-fails": "the next copies of snapshots to another region end as failed",
  "instance-unavailable": "the instance is being modified, and RDS refuses a snapshot",
  "storage-optimization": "the instance is in storage-optimization, and RDS takes a snapshot all the same",
  "database-refuses": "nobody listens on the database's port",
  "store-full": "the store for dumps has no room left",
  "store-refuses": "the store for dumps refuses all access",
  "store-breaks": "the store for dumps cuts each connection that sends a part of a dump",
  "store-corrupts": "the store for dumps says another checksum than that of what it was sent",
  "neon-locked": "Neon is busy with another operation, and takes no change (423)",
  "neon-rate-limit": "Neon has got too many requests (429)",
  "neon-branch-limit": "the project of Neon has as many branches as its plan allows",
  "neon-refuses": "Neon doesn't know the API key",
  "neon-breaks": "the next branches of Neon are never finished",
};

export function readFaults(cloudDir: string): string[] {
  const file = join(cloudDir, "faults.json");
  const faults = readJson<unknown>(file) ?? [];
  if (!isNames(faults)) throw new UnreadableFile(file, "it is not a list of names");
  return faults;
}

export function writeFaults(cloudDir: string, faults: string[]): void {
  mkdirSync(cloudDir, { recursive: true, mode: 0o700 });
  writeAtomically(join(cloudDir, "faults.json"), JSON.stringify(faults));
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === "string");
