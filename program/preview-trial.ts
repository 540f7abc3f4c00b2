import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Trial } from "../review/trial";
import type { Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { formatDuration } from "../text/short-duration";

/** The longest that a preview waits for the run of the migrations, in milliseconds. */
const LIMIT_MS = 20_000;

const root = join(__dirname, "..");

/**
 * Runs the pending migrations on a temporary Postgres, if this is a preview, `review.run` allows it, and the binaries of
 * Postgres are on this machine already. What can't be run is a note of the review.
 *
 * @param applied the names of the migrations that the database has
 * @param directory the folder that the settings' paths are relative to
 * @param limit the longest that it may take, in milliseconds; default: 20 s
 * @returns undefined if nothing was to be run here
 */
export async function previewTrial(
  { review: { run, postgres, seed } }: Pick<Settings, "review">,
  { migrations }: Pick<PackedHistory, "migrations">,
  { applied, directory }: { applied: ReadonlySet<string>; directory: string },
  limit = LIMIT_MS,
): Promise<Trial | undefined> {
  if (!run || !pulumi.runtime.isDryRun() || migrations.every(({ name }) => applied.has(name))) return undefined;
  const rows = typeof seed === "string" ? resolve(directory, seed) : seed;
  const request = { history: migrations, applied: [...applied], postgres, seed: rows };
  const { isLate, status, out, errors } = await runProgram(JSON.stringify(request), directory, limit);
  if (!isLate && status === 0) return (JSON.parse(out) as Trial | null) ?? undefined;
  const waits = `${commandLine("review")} --run`;
  const unavailable = isLate
    ? `they take longer than ${formatDuration(limit)}, and a preview waits no longer (${waits} does)`
    : `the program for it ended with status ${status}: ${errors.trim().split("\n")[0]}`;
  return { unavailable, findings: [] };
}

/** Runs the program `trial` with an input, and ends it with all that it has started when the time is over. */
async function runProgram(input: string, cwd: string, limit: number) {
  // The program is a group of its own. Its server ends within a second after it.
  const words = [join(root, "bin/start.cjs"), "trial"];
  const child = spawn(process.execPath, words, { cwd, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const closed = new Promise<number | null>((ended, failed) => {
    child.once("error", failed);
    child.once("close", ended);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill(-child.pid!, "SIGKILL");
  }, limit);
  // A program that ends at once doesn't read its input.
  child.stdin.on("error", () => undefined);
  // The input stays open: the program ends when it is closed, so it doesn't outlive a preview that is interrupted.
  child.stdin.write(`${input}\n`);
  const [out, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  clearTimeout(timer);
  return { isLate, status, out, errors };
}
