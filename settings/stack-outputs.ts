import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { oneLine } from "../text/printable";
import { formatDuration } from "../text/short-duration";

/** The variable with a stack's outputs, or the path of a file of them. The local release and a step of `up` set it. */
export const OUTPUTS_VARIABLE = "RELEASE_STACK_OUTPUTS";

const run = promisify(execFile);

/**
 * Reads a stack's outputs with the Pulumi CLI, which knows where the stack's state is. It asks nothing, and shows no
 * secret.
 * @param directory the folder of Pulumi.yaml
 * @param limit the longest that the CLI may take, in milliseconds
 * @returns the outputs as JSON, or why they can't be read, as the end of a sentence
 */
export async function readStackOutputs(
  directory: string,
  stack: string,
  limit: number,
): Promise<{ readonly json: string } | { readonly unknown: string }> {
  try {
    const reading = run("pulumi", ["stack", "output", "--json", "--non-interactive", "--stack", stack], {
      cwd: directory,
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeout: limit,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 2 ** 20,
    });
    reading.child.stdin?.end();
    return { json: (await reading).stdout };
  } catch (error) {
    const { code, killed, stderr, message } = error as {
      code?: unknown;
      killed?: boolean;
      stderr?: string;
      message: string;
    };
    if (code === "ENOENT") return { unknown: "the Pulumi CLI is not on PATH" };
    if (killed) return { unknown: `pulumi stack output did not end within ${formatDuration(limit)}` };
    const reason = stderr?.trim().split("\n").at(-1) || message.split("\n")[0]!;
    return { unknown: `pulumi stack output says: ${oneLine(reason)}` };
  }
}
