import { createInterface } from "node:readline";
import { NEWEST, presentBinariesOf } from "../embedded/majors";
import type { Trial } from "../review/trial";
import { runTrial, SeedFailed, type TrialInput } from "./run-trial";

/** The input of this program, which a preview writes to its standard input as one line of JSON. */
interface TrialRequest extends Pick<TrialInput, "history" | "postgres" | "seed"> {
  readonly applied: readonly string[];
}

/**
 * Runs migrations for a preview, without the runs that are killed, and without a download: the answer is null where no
 * Postgres is on this machine. It is a program of its own, so that a preview can end it at any time. It also ends with
 * the preview, which then closes its input.
 */
async function answer({ applied, ...request }: TrialRequest): Promise<Trial | null> {
  if ((await presentBinariesOf(request.postgres ?? NEWEST)) === undefined) return null;
  try {
    return await runTrial({ ...request, applied: new Set(applied), interrupt: false });
  } catch (error) {
    if (!(error instanceof SeedFailed)) throw error;
    return { unavailable: error.message.split("\n")[0]!.replace(/\.$/, ""), findings: [] };
  }
}

const input = createInterface({ input: process.stdin });
input.once("line", (request) => {
  void answer(JSON.parse(request) as TrialRequest).then((trial) =>
    process.stdout.write(JSON.stringify(trial), () => process.exit()),
  );
});
input.once("close", () => process.exit(1));
