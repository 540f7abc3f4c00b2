import path from "node:path";
import { readJson } from "../atomic";

/** What can be made to go wrong in this cloud: names in CLOUDDIR/faults.json, a JSON array, read at each act. */
export type Fault =
  | "snapshot-fails"
  | "snapshot-stays-creating"
  | "instance-unavailable"
  | "storage-optimization"
  | "database-refuses";

export function hasFault(cloudDir: string, fault: Fault): boolean {
  const file = path.join(cloudDir, "faults.json");
  try {
    const faults = readJson<unknown>(file);
    return Array.isArray(faults) && faults.includes(fault);
  } catch (error) {
    throw new Error(`${file} is not a JSON array of names: ${(error as Error).message}. Correct or remove it.`);
  }
}
