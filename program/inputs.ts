import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { bundleBranch, bundleDump } from "../backup/bundle";
import {
  type BackupPruner,
  type ProviderSettings,
  ReleaseError,
  type ReportReader,
  releaseConfig,
  type Settings,
  settingsFromConfig,
} from "../components";
import { bundleIamSchemaGate, bundleMigrator, bundleRdsSigner, bundleSchemaGate } from "../migrator/cli/bundle";
import { bundleReportReader } from "../report/reader/bundle";
import { type PackedHistory, packHistory } from "../review/packed-history";
import { settingsNamespace } from "../settings/namespace";
import { rehearsalSource } from "../settings/rehearsal-rules";

/** The places where the program's inputs are. */
export interface InputPlaces {
  /**
   * The namespace of the release's settings in the stack's configuration. Every key in it must be a setting. Default:
   * `release`, or the project's name if only that namespace contains settings.
   */
  namespace?: string | undefined;
  /** The folder that relative paths in the settings start from. Default: the folder in which Pulumi runs the program. */
  directory?: string | undefined;
  /** The image of the app, which replaces the setting `app.image`. */
  image?: string | undefined;
  /** Whether the program rolls out workloads of its own. Default: false. */
  ownWorkloads?: boolean;
}

/** The inputs of a release. They are read and checked before any resource is declared. */
export interface ReleaseInputs {
  /** The namespace in which the settings were found. */
  namespace: string;
  settings: Settings;
  /** How the providers reach the AWS account and the cluster; undefined if the program has its own providers. */
  access: ProviderSettings | undefined;
  history: PackedHistory;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** The AWS SDK's signer as one CommonJS file, if `database.auth` is "iam". */
  signer: string | undefined;
  /** The program that stores dumps, as one CommonJS file, if `backup.mode` is "dump". */
  dumper: string | undefined;
  /** The program that makes branches of Neon, as one CommonJS file, if `backup.mode` is "branch". */
  brancher: string | undefined;
  /** The program of `app.schemaGate`, as one CommonJS file; undefined if the settings don't want it. */
  schemaGate: string | undefined;
  /** The script and the options that read back the Jobs' reports after the rollout. */
  reader: ReportReader;
  /** How `ops prune` and `ops rehearse` are run; undefined on a local cloud that gives them no way to its RDS. */
  pruner: BackupPruner | undefined;
  /** The tags of the snapshot, by which people and scripts find it among others. */
  tags: Record<string, string>;
  /** The commands that messages name, where they are not those of Pulumi, as on the local cloud. */
  commands: Record<"back" | "restore" | "ops" | "up", string | undefined>;
}

/**
 * Reads the stack's settings and the migrations that they name. This is the only part of the program that reads the
 * stack's configuration, files and environment variables.
 *
 * @param ownProviders Whether the program has its own providers, so that the configuration of others doesn't matter.
 * @throws SettingsError that lists everything that is wrong in the stack's settings
 * @throws ReleaseError when the migrations folder can't be read or is not valid
 */
export async function readInputs(places: InputPlaces, ownProviders: boolean): Promise<ReleaseInputs> {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const config = pulumi.runtime.allConfig();
  const { directory = process.cwd(), image, ownWorkloads = false } = places;
  const { namespace = settingsNamespace(project, Object.keys(config)) } = places;
  const secretKeys = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
  const source = { project, stack, namespace, secretKeys, image, ownWorkloads };
  const { settings, providers: access } = ownProviders
    ? { settings: settingsFromConfig(config, source), providers: undefined }
    : releaseConfig(config, source);
  const pages = settings.report.directory;
  const iam = settings.database.auth === "iam";
  return {
    namespace,
    settings,
    access,
    reader: {
      script: bundleReportReader(),
      stack,
      context: access?.kubernetes.context,
      kubeconfig: access?.kubernetes.kubeconfig,
      ...(pages === undefined ? {} : { directory: resolve(directory, pages) }),
    },
    history: await readMigrations(resolve(directory, settings.migrations.directory), settings.migrations.until),
    migrator: bundleMigrator(),
    signer: iam ? bundleRdsSigner() : undefined,
    dumper: settings.backup.mode === "dump" ? bundleDump() : undefined,
    brancher: settings.backup.mode === "branch" ? bundleBranch() : undefined,
    schemaGate: settings.app.schemaGate ? (iam ? bundleIamSchemaGate() : bundleSchemaGate()) : undefined,
    pruner: backupPruner(config, namespace),
    tags: { project, stack, app: settings.app.name, commit: commit(directory) },
    commands: {
      back: process.env["RELEASE_BACK_COMMAND"],
      restore: process.env["RELEASE_RESTORE_COMMAND"],
      ops: process.env["RELEASE_OPS_COMMAND"],
      up: process.env["RELEASE_UP_COMMAND"],
    },
  };
}

/** The keys of the AWS provider whose values are secret, with the variables in which the AWS SDK finds them. */
const ACCESS_KEY = {
  "aws:accessKey": "AWS_ACCESS_KEY_ID",
  "aws:secretKey": "AWS_SECRET_ACCESS_KEY",
  "aws:token": "AWS_SESSION_TOKEN",
} as const;

/** The variables that lead a command by hand to the local cloud. */
const LOCAL_VARIABLES = [
  ...["RELEASE_LOCAL_RDS", "RELEASE_LOCAL_NEON", "NEON_API_KEY", "RELEASE_OPS_COMMAND"],
  ...Object.values(ACCESS_KEY),
];

/**
 * Returns how a command gets the configuration of this very stack, with what Pulumi has decrypted.
 * @returns undefined on a local cloud that gives no way to its RDS: the command must never ask a real account then
 */
function backupPruner(config: Record<string, string>, namespace: string): BackupPruner | undefined {
  const isLocal = process.env["RELEASE_BACK_COMMAND"] !== undefined;
  // A preview runs no command.
  const runs = !pulumi.runtime.isDryRun();
  if (isLocal && runs && process.env["RELEASE_LOCAL_RDS"] === undefined) return undefined;
  const ofLocal = LOCAL_VARIABLES.map((name): [string, string] => [name, process.env[name] ?? ""]);
  const keys = Object.entries(ACCESS_KEY).flatMap(([key, name]): [string, string][] =>
    config[key] === undefined ? [] : [[name, config[key]]],
  );
  const others = Object.entries(config).filter(([key]) => !Object.hasOwn(ACCESS_KEY, key));
  return {
    start: join(__dirname, "../bin/start.cjs"),
    directory: process.cwd(),
    namespace,
    config: Object.fromEntries(others),
    environment: Object.fromEntries(isLocal ? ofLocal : keys),
    // The local cloud has no account with other snapshots.
    looksAtQuota: !isLocal,
  };
}

/**
 * Checks that a rehearsal on a branch of Neon finds the key that makes it. A preview makes none.
 *
 * @throws ReleaseError if it is missing
 */
export function requireNeonKey(settings: Settings): void {
  const isBranch = rehearsalSource(settings, true) === "branch";
  if (!isBranch || pulumi.runtime.isDryRun() || process.env["NEON_API_KEY"]) return;
  throw new ReleaseError(
    "The migrations are to be rehearsed on a branch of Neon (rehearsal.mode), and NEON_API_KEY is not set.\n" +
      "Nothing was touched: database and app are as they were.\n" +
      "Next: export NEON_API_KEY=… where `up` runs (Neon's console, Settings, API keys), and run the same command again.",
  );
}

async function readMigrations(directory: string, until: string | undefined): Promise<PackedHistory> {
  try {
    return await packHistory(directory, until);
  } catch (error) {
    // A ReleaseError is shown without a stack trace, because the mistake is in the folder, not in the program.
    throw new ReleaseError(
      `${(error as Error).message}\nNothing was touched: database and app are as they were.\n` +
        "Correct the folder and run the same command again.",
    );
  }
}

/** Returns the commit that is being released, or "unknown" outside a git checkout. */
function commit(directory: string): string {
  const fromCi = process.env["GITHUB_SHA"] ?? process.env["CI_COMMIT_SHA"];
  if (fromCi) return fromCi;
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: directory, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}
