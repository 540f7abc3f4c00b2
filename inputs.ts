import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type ProviderSettings, ReleaseError, type ReportReader, releaseConfig, type Settings } from "./components";
import { bundleMigrator, bundleRdsSigner } from "./migrator/cli/bundle";
import { bundleReportReader } from "./report/reader/bundle";
import { type PackedHistory, packHistory } from "./review/packed-history";

/** The inputs of a release. They are read and checked before any resource is declared. */
export interface ReleaseInputs {
  settings: Settings;
  /** How the providers reach the AWS account and the cluster. */
  access: ProviderSettings;
  history: PackedHistory;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** The AWS SDK's signer as one CommonJS file, if `database.auth` is "iam". */
  signer: string | undefined;
  /** The script and the options that read back the Jobs' reports after the rollout. */
  reader: ReportReader;
  /** The tags of the snapshot, by which people and scripts find it among others. */
  tags: Record<string, string>;
}

/**
 * Reads the stack's settings and the migrations that they name. This is the only part of the program that reads the
 * stack's configuration, files and environment variables.
 *
 * @throws SettingsError that lists everything that is wrong in the stack's settings
 * @throws ReleaseError when the migrations folder can't be read or is not valid
 */
export async function readInputs(): Promise<ReleaseInputs> {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const secretKeys = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
  const config = pulumi.runtime.allConfig();
  const { settings, providers: access } = releaseConfig(config, { project, stack, secretKeys });
  const { directory } = settings.report;
  return {
    settings,
    access,
    reader: {
      script: bundleReportReader(),
      stack,
      context: access.kubernetes.context,
      kubeconfig: access.kubernetes.kubeconfig,
      ...(directory === undefined ? {} : { directory: resolve(__dirname, directory) }),
    },
    history: await readMigrations(resolve(__dirname, settings.migrations.directory)),
    migrator: bundleMigrator(),
    signer: settings.database.auth === "iam" ? bundleRdsSigner() : undefined,
    tags: { project, stack, app: settings.app.name, commit: commit() },
  };
}

async function readMigrations(directory: string): Promise<PackedHistory> {
  try {
    return await packHistory(directory);
  } catch (error) {
    // A ReleaseError is shown without a stack trace, because the mistake is in the folder, not in the program.
    throw new ReleaseError(
      `${(error as Error).message}\nNothing was touched: database and app are as they were.\n` +
        "Correct the folder and run the same command again.",
    );
  }
}

/** Returns the commit that is being released, or "unknown" outside a git checkout. */
function commit(): string {
  const fromCi = process.env["GITHUB_SHA"] ?? process.env["CI_COMMIT_SHA"];
  if (fromCi) return fromCi;
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: __dirname, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}
