import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { readText, writeAtomically } from "../../text/atomic";
import { describeProcess, killGroup, type ProcessRecord } from "../cloud/process";
import type { Json } from "../cloud/provider";
import type { EngineOptions, EngineResult } from "../engine/events";
import { lockStack } from "../engine/lock";
import { stackDirectory } from "../engine/state";
import { stackUrn } from "../engine/urn";
import { mapProperties, shown } from "../engine/values";
import { readCheckpoint, restoreCheckpoint } from "./checkpoint";
import { CliEvents } from "./cli-events";
import { type CliStack, type CliStackOptions, openCliStack } from "./cli-stack";
import { eachLine } from "./lines";

export { hasPulumi } from "./pulumi-path";

/** The embedded engine's options without providers: the CLI finds the local cloud's plugins on its PATH. */
export interface CliOptions
  extends Omit<EngineOptions, "providers">,
    Pick<CliStackOptions, "environment" | "packages"> {
  /** Options that only the CLI has, such as `--target=URN`. */
  flags?: string[] | undefined;
}

type Verb = "up" | "preview" | "destroy" | "refresh";

const STDERR_LINES = 60;

/** The embedded engine's four operations, run by the Pulumi CLI on PATH. @throws PulumiMissing, StackLockedError */
export const up = (options: CliOptions): Promise<EngineResult> => operate(options, "up");
export const preview = (options: CliOptions): Promise<EngineResult> => operate(options, "preview");
export const destroy = (options: CliOptions): Promise<EngineResult> => operate(options, "destroy");
export const refresh = (options: CliOptions): Promise<EngineResult> => operate(options, "refresh");

/** The stack's recorded outputs; a secret is shown as `[secret]`. Undefined if the CLI never deployed this stack. */
export function readCliOutputs(stateDir: string, project: string, stack: string): Record<string, Json> | undefined {
  const resources = readCheckpoint(stateDir, project, stack)?.checkpoint.latest?.resources;
  const root = resources?.find(({ urn }) => urn === stackUrn(stack, project));
  return root && mapProperties(root.outputs ?? {}, shown);
}

async function operate(options: CliOptions, verb: Verb): Promise<EngineResult> {
  const begun = performance.now();
  const { stateDir, project, stack } = options;
  const lock = verb === "preview" ? undefined : lockStack(stackDirectory(stateDir, project, stack), stack);
  try {
    const cli = openCliStack(options);
    if (lock) {
      await takeOver(cli);
      const restored = restoreCheckpoint(stateDir, project, stack);
      if (restored) options.onEvent?.({ kind: "diagnostic", severity: "warning", message: restored });
    }
    const events = new CliEvents((event) => options.onEvent?.(event));
    const { code, stderr } = await runCli(cli, verb, options, (line) => events.line(line));
    const { errors, summary } = events.told;
    if (code !== 0 && errors.length === 0) errors.push(stderr || `pulumi ${verb} ended with exit status ${code}`);
    const recorded = readCliOutputs(stateDir, project, stack) ?? {};
    const result: EngineResult = {
      ok: code === 0,
      outputs: verb === "preview" ? mapProperties(events.told.outputs ?? recorded, shown) : recorded,
      summary,
      durationMs: Math.round(performance.now() - begun),
      errors,
      canceled: options.signal?.aborted === true || options.hardSignal?.aborted === true,
    };
    const { errors: _errors, canceled: _canceled, ...told } = result;
    options.onEvent?.({ kind: "summary", ...told });
    return result;
  } finally {
    lock?.release();
  }
}

/** Ends a CLI that a killed command left running, and removes its locks. The caller holds the stack's lock. */
async function takeOver(cli: CliStack): Promise<void> {
  const left = readText(cli.processFile);
  if (left !== undefined) await killGroup(JSON.parse(left) as ProcessRecord);
  rmSync(cli.processFile, { force: true });
  // `pulumi cancel` does the same with a file backend (pkg/backend/diy/lock.go).
  rmSync(cli.locks, { recursive: true, force: true });
}

function runCli(
  cli: CliStack,
  verb: Verb,
  options: CliOptions,
  onLine: (line: string) => void,
): Promise<{ code: number; stderr: string }> {
  const stderr: string[] = [];
  // The CLI waits for a line before it starts, so that it never runs without a record for the next command.
  const child = spawn(
    "/bin/sh",
    ["-c", 'read -r go && exec "$@"', "sh", cli.executable, ...words(cli, verb, options)],
    {
      cwd: options.directory,
      env: cli.env,
      stdio: ["pipe", "pipe", "pipe"],
      // The CLI is not in the terminal's process group, so that it receives Ctrl-C only once, from this process.
      detached: true,
    },
  );
  const record = child.pid === undefined ? undefined : describeProcess(child.pid);
  if (record && verb !== "preview") writeAtomically(cli.processFile, JSON.stringify(record), 0o600);
  child.stdin.on("error", () => {});
  child.stdin.end("go\n");
  const release = forwardInterrupts(child, options);
  eachLine(child.stdout, onLine);
  eachLine(child.stderr, (line) => {
    stderr.push(line);
    if (stderr.length > STDERR_LINES) stderr.shift();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      release();
      rmSync(cli.processFile, { force: true });
      resolve({ code: code ?? 1, stderr: stderr.join("\n").trim() });
    });
  });
}

/** The time between two interrupts; closer together they may reach the CLI as one. */
const BETWEEN_INTERRUPTS_MS = 1_000;

/**
 * Interrupts the CLI: the first interrupt asks it to finish running steps, the second to stop waiting for them. Returns
 * a function that removes the listeners.
 */
function forwardInterrupts(child: ChildProcess, { signal, hardSignal }: CliOptions): () => void {
  let first: number | undefined;
  let second: NodeJS.Timeout | undefined;
  const soft = () => {
    first = performance.now();
    child.kill("SIGINT");
  };
  const hard = () => {
    if (first === undefined) soft();
    const pause = BETWEEN_INTERRUPTS_MS - (performance.now() - (first ?? 0));
    second = setTimeout(() => child.kill("SIGINT"), Math.max(0, pause));
  };
  const listeners = [
    [signal, soft],
    [hardSignal, hard],
  ] as const;
  for (const [abort, listener] of listeners) {
    if (abort?.aborted) listener();
    else abort?.addEventListener("abort", listener, { once: true });
  }
  return () => {
    clearTimeout(second);
    for (const [abort, listener] of listeners) abort?.removeEventListener("abort", listener);
  };
}

function words(cli: CliStack, verb: Verb, { stack, flags = [] }: CliOptions): string[] {
  return [
    verb,
    ...(verb === "preview" ? [] : ["--yes", "--skip-preview"]),
    "--non-interactive",
    "--json",
    "--color=never",
    `--stack=${stack}`,
    `--config-file=${cli.configFile}`,
    ...flags,
  ];
}
