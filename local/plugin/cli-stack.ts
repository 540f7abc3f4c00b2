import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { readText, writeAtomically, writeSynced } from "../../text/atomic";
import { CLOUD_VARIABLE } from "../cloud/command/tools";
import { stackDirectory } from "../engine/state";
import type { Environment } from "../environment";
import { cliCheckpoint } from "./checkpoint";
import { ENVIRONMENT_VARIABLE, type Package, QUICK_ERRORS } from "./handover";
import { findPulumi } from "./pulumi-path";

export interface CliStackOptions {
  project: string;
  stack: string;
  stateDir: string;
  /** The configuration. Keys are fully qualified, `project:key`; objects are JSON text. */
  config: Record<string, string>;
  /** The fully qualified keys of `config` whose values are secret. */
  secretKeys?: string[];
  /** The environment that the local cloud prepares before the first step. */
  environment?: Environment | undefined;
  /** Environment variables of the program besides those of this process. Default: none. */
  variables?: Record<string, string> | undefined;
  /** The packages that the local cloud provides; the CLI uses its own plugins for others. Default: all three. */
  packages?: Package[];
}

/** The CLI's data for one stack. All of it is below the state directory; nothing is written into the checkout. */
export interface CliStack {
  executable: string;
  env: NodeJS.ProcessEnv;
  configFile: string;
  /** The path of the CLI's record of the stack: a checkpoint of version 3, or 4 if resources have hooks. */
  checkpoint: string;
  /** The directory with the CLI's locks on this stack. */
  locks: string;
  /** The file that records the process that changes the stack, so that the next command recognises one left behind. */
  processFile: string;
}

const PACKAGES: Package[] = ["aws", "kubernetes", "command"];
const BIN = resolve(__dirname, "../bin");

/**
 * Creates the stack in the CLI's file backend in the state directory, with a generated passphrase (mode 0600), and
 * writes its settings. It needs no account and no network, and asks nothing.
 *
 * @throws PulumiMissing when the CLI is not on PATH
 */
export function openCliStack(options: CliStackOptions): CliStack {
  const { project, stack, stateDir } = options;
  const executable = findPulumi();
  const directory = join(stackDirectory(stateDir, project, stack), "pulumi");
  mkdirSync(directory, { recursive: true });
  // All stacks of the state directory use one passphrase, because a StackReference decrypts another stack's secrets.
  const passphrase = resolve(stateDir, ".pulumi-passphrase");
  createOnce(passphrase, `${randomBytes(32).toString("base64url")}\n`);
  const env = { ...environment(options, directory), PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };

  const checkpoint = cliCheckpoint(stateDir, project, stack);
  const configFile = join(directory, `Pulumi.${stack}.yaml`);
  if (!existsSync(checkpoint)) {
    // The command runs in a project of its own, because `stack init` writes the settings file next to Pulumi.yaml.
    writeAtomically(join(directory, "Pulumi.yaml"), JSON.stringify({ name: project, runtime: "nodejs" }), 0o644);
    try {
      run(executable, ["stack", "init", stack, "--non-interactive"], directory, env);
    } catch (error) {
      // If the checkpoint exists now, another command has created the stack meanwhile.
      if (!existsSync(checkpoint)) throw error;
    }
  }
  writeSettings(executable, configFile, options, env);
  return {
    executable,
    env,
    configFile,
    checkpoint,
    locks: join(resolve(stateDir), ".pulumi/locks/organization", project, stack),
    processFile: join(directory, "process.json"),
  };
}

function environment(options: CliStackOptions, directory: string): NodeJS.ProcessEnv {
  const cloudDir = join(stackDirectory(options.stateDir, options.project, options.stack), "cloud");
  return {
    ...process.env,
    ...options.variables,
    PATH: [pluginDirectory(directory, options.packages ?? PACKAGES), process.env["PATH"]].join(delimiter),
    PULUMI_BACKEND_URL: pathToFileURL(resolve(options.stateDir)).href,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // With this variable `preview --json` prints its steps as they happen, like the other commands.
    PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
    PULUMI_CONFIG_PASSPHRASE: undefined,
    NODE_OPTIONS: [process.env["NODE_OPTIONS"], QUICK_ERRORS].filter(Boolean).join(" "),
    [CLOUD_VARIABLE]: cloudDir,
    [ENVIRONMENT_VARIABLE]: options.environment ? JSON.stringify(options.environment) : undefined,
  };
}

/** A directory that contains only the plugins of the packages that the local cloud provides. */
function pluginDirectory(directory: string, packages: Package[]): string {
  if (packages.length === PACKAGES.length) return BIN;
  const chosen = join(directory, "plugins");
  mkdirSync(chosen, { recursive: true });
  for (const name of readdirSync(chosen)) rmSync(join(chosen, name));
  for (const name of packages)
    symlinkSync(join(BIN, `pulumi-resource-${name}`), join(chosen, `pulumi-resource-${name}`));
  return chosen;
}

/** Writes all settings again and keeps only the salt, which belongs to the passphrase. */
function writeSettings(
  executable: string,
  configFile: string,
  { config, secretKeys = [], stack }: CliStackOptions,
  env: NodeJS.ProcessEnv,
): void {
  const { encryptionsalt } = (parse(readText(configFile) ?? "") ?? {}) as { encryptionsalt?: string };
  const plain = Object.entries(config).filter(([key]) => !secretKeys.includes(key));
  writeAtomically(configFile, JSON.stringify({ encryptionsalt, config: Object.fromEntries(plain) }, null, 2), 0o600);
  for (const key of secretKeys) {
    const value = config[key];
    if (value === undefined) continue;
    // The value is passed on stdin, because other users can read the command line of a process.
    const words = [
      "config",
      "set",
      "--secret",
      key,
      "--stack",
      stack,
      "--config-file",
      configFile,
      "--non-interactive",
    ];
    run(executable, words, resolve(configFile, ".."), env, value);
  }
}

function createOnce(file: string, text: string): void {
  if (existsSync(file)) return;
  const mine = `${file}.${randomUUID()}`;
  try {
    writeSynced(mine, text, 0o600);
    linkSync(mine, file);
    chmodSync(file, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

const SHORT_COMMAND_MS = 60_000;

function run(executable: string, words: string[], cwd: string, env: NodeJS.ProcessEnv, input = ""): void {
  try {
    execFileSync(executable, words, { cwd, env, input, encoding: "utf8", stdio: "pipe", timeout: SHORT_COMMAND_MS });
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    throw new Error(
      `pulumi ${words.slice(0, 2).join(" ")} failed: ${stderr.trim() || message}\n` +
        "Database and app are as they were. Correct what it says, then run the same command again.",
    );
  }
}
