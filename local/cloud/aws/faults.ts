import path from "node:path";
import { readJson } from "../atomic";

/** What can be made to go wrong in this cloud: names in CLOUDDIR/faults.json, a JSON array, read at each act. */
export type Fault = "snapshot-fails" | "snapshot-stays-creating" | "instance-unavailable" | "database-refuses";

export function hasFault(cloudDir: string, fault: Fault): boolean {
  const faults = readJson<unknown>(path.join(cloudDir, "faults.json"));
  return Array.isArray(faults) && faults.includes(fault);
}
