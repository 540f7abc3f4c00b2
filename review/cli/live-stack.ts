import { readFileSync } from "node:fs";
import { z } from "zod";
import { OUTPUTS_VARIABLE, readStackOutputs } from "../../settings/stack-outputs";
import type { Sizes } from "../../text/table-size";
import { sizesSchema } from "./settings";

/** The longest that the Pulumi CLI may take, in milliseconds. A review is waiting for it. */
const CLI_MS = 20_000;

/** What the outputs of a stack tell of its live release. Each part may be missing. */
export interface LiveStack {
  /** The last migration that is applied. */
  readonly last?: string;
  readonly sizes?: Sizes;
  /** Why there are no sizes, as the end of a sentence. */
  readonly unknown?: string;
}

/**
 * Reads what the live release of a stack recorded, from the variable RELEASE_STACK_OUTPUTS or with the Pulumi CLI. It
 * may be missing for any reason: the review then does without it.
 *
 * @param directory the folder of Pulumi.yaml
 * @param limit the longest that the CLI may take, in milliseconds; default: 20 s
 */
export async function liveStack(directory: string, stack: string, limit = CLI_MS): Promise<LiveStack> {
  const given = process.env[OUTPUTS_VARIABLE];
  const read = given === undefined ? await readStackOutputs(directory, stack, limit) : fromVariable(given);
  return "json" in read ? factsIn(read.json, stack) : read;
}

function fromVariable(given: string): { json: string } | { unknown: string } {
  if (given.startsWith("{")) return { json: given };
  try {
    return { json: readFileSync(given, "utf8") };
  } catch (error) {
    return { unknown: `${OUTPUTS_VARIABLE} names ${given}, which can't be read: ${(error as Error).message}` };
  }
}

const migrationsSchema = z.object({ last: z.string() });

/** Finds the facts in the outputs themselves or in one of them, in a program that has other outputs too. */
function factsIn(json: string, stack: string): LiveStack {
  let outputs: unknown;
  try {
    outputs = JSON.parse(json);
  } catch {
    return { unknown: `the outputs of stack ${stack} are not JSON` };
  }
  const places: unknown[] = [outputs, ...Object.values(outputs ?? {})];
  const first = <T>(key: string, schema: z.ZodType<T>) =>
    places.flatMap((place) => schema.safeParse((place as Record<string, unknown> | null)?.[key]).data ?? [])[0];
  const [sizes, migrations] = [first("sizes", sizesSchema), first("migrations", migrationsSchema)];
  return {
    ...(migrations && { last: migrations.last }),
    ...(sizes ? { sizes } : { unknown: `the outputs of stack ${stack} have no sizes` }),
  };
}
