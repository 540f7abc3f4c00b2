import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { api } from "../cloud/client";
import { toolsOf } from "../cloud/command/tools";
import type { Call } from "./verb";

const START = resolve(__dirname, "../../bin/start.cjs");

/** Returns the variables by which a command by hand asks the RDS of the local cloud, which is started if necessary. */
export async function rdsVariables(cloudDir: string): Promise<Record<string, string>> {
  const { url, secret } = await api(cloudDir, "/rds");
  return {
    RELEASE_LOCAL_RDS: url,
    ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: "" },
  };
}

/** The exit status of a process that a signal ended. */
const INTERRUPTED = 130;

/**
 * Runs a command by hand of this project, such as `ops`, on the local cloud.
 * @param environment variables that it gets besides those that lead to the local cluster
 * @param files texts that it gets as files, by the variables that name them
 * @returns its exit status
 */
export async function runByHand(
  { cloudDir, stack, output }: Pick<Call, "cloudDir" | "stack" | "output">,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "release-local-"));
  try {
    const config = JSON.stringify({ stack: stack.name, config: stack.config });
    const paths = Object.entries({ RELEASE_STACK_CONFIG: config, ...files }).map(([variable, text]) => {
      const path = join(folder, `${variable.toLowerCase()}.json`);
      writeFileSync(path, text, { mode: 0o600 });
      return [variable, path] as const;
    });
    const child = spawn(
      process.execPath,
      [START, ...words, "--stack", stack.name, ...(output.json ? ["--json"] : [])],
      {
        cwd: stack.directory,
        env: { ...process.env, ...toolsOf(cloudDir), ...environment, ...Object.fromEntries(paths) },
        stdio: "inherit",
      },
    );
    // A terminal sends Ctrl-C to both processes. This one waits until the other has cleaned up.
    const wait = () => {};
    process.on("SIGINT", wait);
    const [status] = await once(child, "exit");
    process.off("SIGINT", wait);
    return typeof status === "number" ? status : INTERRUPTED;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
