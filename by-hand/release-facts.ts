import { readFileSync } from "node:fs";
import { type ReleaseOutputs, releaseOutputsSchema } from "../components/release-outputs";
import { OUTPUTS_VARIABLE, readStackOutputs } from "../settings/stack-outputs";
import { CommandFailure, EXIT } from "./failure";

/** What is known of the release that is live. */
export interface ReleaseFacts {
  /** The outputs of its stack; undefined if they can't be read, or no release is complete yet. */
  readonly outputs: ReleaseOutputs | undefined;
  /** Why they are unknown, as the end of a sentence; undefined if they are known. */
  readonly unknown: string | undefined;
  /** True if the stack is known to have no outputs at all, because nothing was released yet. */
  readonly none?: boolean;
}

/** The longest that the Pulumi CLI may take, in milliseconds. */
const CLI_MS = 90_000;

/**
 * Reads the outputs of a stack: from a file, or with the Pulumi CLI, which knows where the stack's state is.
 * @param file the file of `--outputs`, with the JSON that `pulumi stack output --json` prints
 * @throws CommandFailure if that file can't be read, or is not of a release
 */
export async function releaseFacts(
  directory: string,
  stack: string,
  file = process.env[OUTPUTS_VARIABLE],
): Promise<ReleaseFacts> {
  if (file !== undefined) return known(fromFile(file), file.startsWith("{") ? "given" : `in ${file}`);
  const read = await readStackOutputs(directory, stack, CLI_MS);
  return "json" in read ? known(read.json, "of the stack") : { outputs: undefined, unknown: read.unknown };
}

function fromFile(file: string): string {
  if (file.startsWith("{")) return file;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandFailure(
      EXIT.usage,
      `--outputs ${file} can't be read: ${(error as Error).message}`,
      undefined,
      "pulumi stack output --json > FILE, then the same command with --outputs FILE",
    );
  }
}

/** Finds the outputs of a release: those of the stack itself, or one of them in a program that has others too. */
function known(text: string, where: string): ReleaseFacts {
  let all: unknown;
  try {
    all = JSON.parse(text);
  } catch {
    return { outputs: undefined, unknown: `the outputs ${where} are not JSON` };
  }
  const places = typeof all === "object" && all !== null ? [all, ...Object.values(all)] : [];
  for (const place of places) {
    const parsed = releaseOutputsSchema.safeParse(place);
    if (parsed.success) return { outputs: parsed.data, unknown: undefined };
  }
  const unknown = `the outputs ${where} are not those of a completed release`;
  return { outputs: undefined, unknown, none: places.length === 1 };
}
