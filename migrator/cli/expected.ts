import { readFileSync } from "node:fs";
import { UsageFailure } from "../failures/usage";
import type { Expected } from "../verbs/restored";

/**
 * Reads what is known of a restored database from outside.
 * @throws UsageFailure if the file can't be read
 */
export function readExpected(file: string | undefined): Expected {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Expected;
  } catch (error) {
    throw new UsageFailure([`--expect ${file} can't be read: ${(error as Error).message}`]);
  }
}
