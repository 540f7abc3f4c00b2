import { readFileSync } from "node:fs";
import { OUTPUTS_VARIABLE, readStackOutputs } from "../../settings/stack-outputs";
import type { Sizes } from "../../text/table-size";
import { sizesSchema } from "./settings";

/** The longest that the Pulumi CLI may take, in milliseconds. A review is waiting for it. */
const CLI_MS = 20_000;

/** The sizes of a stack's tables, or why they are unknown, as the end of a sentence. */
export type StackSizes = { readonly sizes: Sizes } | { readonly unknown: string };

/**
 * Reads the sizes of tables that the live release of a stack recorded, from the variable RELEASE_STACK_OUTPUTS or with
 * the Pulumi CLI. They may be missing for any reason: the review then does without them.
 *
 * @param directory the folder of Pulumi.yaml
 * @param limit the longest that the CLI may take, in milliseconds; default: 20 s
 */
export async function stackSizes(directory: string, stack: string, limit = CLI_MS): Promise<StackSizes> {
  const given = process.env[OUTPUTS_VARIABLE];
  const read = given === undefined ? await readStackOutputs(directory, stack, limit) : fromVariable(given);
  return "json" in read ? sizesIn(read.json, stack) : read;
}

function fromVariable(given: string): { json: string } | { unknown: string } {
  if (given.startsWith("{")) return { json: given };
  try {
    return { json: readFileSync(given, "utf8") };
  } catch (error) {
    return { unknown: `${OUTPUTS_VARIABLE} names ${given}, which can't be read: ${(error as Error).message}` };
  }
}

/** Finds the sizes in the outputs themselves or in one of them, in a program that has other outputs too. */
function sizesIn(json: string, stack: string): StackSizes {
  let outputs: unknown;
  try {
    outputs = JSON.parse(json);
  } catch {
    return { unknown: `the outputs of stack ${stack} are not JSON` };
  }
  const places = typeof outputs === "object" && outputs !== null ? [outputs, ...Object.values(outputs)] : [];
  for (const place of places) {
    const found = sizesSchema.safeParse((place as { sizes?: unknown } | null)?.sizes);
    if (found.success) return { sizes: found.data };
  }
  return { unknown: `the outputs of stack ${stack} have no sizes` };
}
