import path from "node:path";
import { readJson } from "../../../text/atomic";

/** The faults of this cloud. CLOUDDIR/faults.json contains the active ones as a JSON array and is read each time. */
export type Fault =
  | "snapshot-fails"
  | "snapshot-stays-creating"
  | "snapshot-copy-fails"
  | "instance-unavailable"
  | "storage-optimization"
  | "database-refuses"
  | "store-full"
  | "store-refuses"
  | "store-breaks"
  | "store-corrupts"
  | "neon-locked"
  | "neon-rate-limit"
  | "neon-branch-limit"
  | "neon-refuses"
  | "neon-breaks";

export function hasFault(cloudDir: string, fault: Fault): boolean {
  const file = path.join(cloudDir, "faults.json");
  try {
    const faults = readJson<unknown>(file);
    return Array.isArray(faults) && faults.includes(fault);
  } catch (error) {
    throw new Error(`${file} is not a JSON array of names: ${(error as Error).message}. Correct or remove it.`);
  }
}
