import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeAtomically } from "./cloud/atomic";
import type { Fault } from "./cloud/aws/faults";

/** What can be made to go wrong in the local cloud. One more is an image: a tag that ends in `-unready` is never ready. */
export const FAULTS: Record<Fault, string> = {
  "snapshot-fails": "the next snapshots end as failed",
  "snapshot-stays-creating": "snapshots are never available",
  "instance-unavailable": "the instance is in storage-optimization, and RDS refuses a snapshot",
  "database-refuses": "nobody listens on the database's port",
};

export function readFaults(cloudDir: string): string[] {
  return readJson<string[]>(join(cloudDir, "faults.json")) ?? [];
}

export function writeFaults(cloudDir: string, faults: string[]): void {
  mkdirSync(cloudDir, { recursive: true, mode: 0o700 });
  writeAtomically(join(cloudDir, "faults.json"), JSON.stringify(faults));
}
