import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ReleaseError, type ReportReader, type Settings, settingsFromConfig } from "./components";
import { bundleMigrator } from "./migrator/cli/bundle";
import { bundleReportReader } from "./report/reader/bundle";
import { type PackedHistory, packHistory } from "./review/packed-history";

/** All that a release is made of, read and checked before any resource is declared. */
export interface ReleaseInputs {
  settings: Settings;
  history: PackedHistory;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** Reads back, after the rollout, what the Jobs reported. */
  reader: ReportReader;
  /** Of the snapshot: what finds it again among others. */
  tags: Record<string, string>;
}

/**
 * Reads the stack's settings and the migrations they name. The only part of the program that reads config, files and
 * environment.
 *
 * @throws SettingsError with everything that is wrong in the stack's settings
 * @throws ReleaseError when the migrations folder can't be used
 */
export async function readInputs(): Promise<ReleaseInputs> {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const secretKeys = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
  const settings = settingsFromConfig(pulumi.runtime.allConfig(), project, stack, secretKeys);
  const { directory } = settings.report;
  return {
    settings,
    reader: {
      script: bundleReportReader(),
      stack,
      ...(directory === undefined ? {} : { directory: resolve(__dirname, directory) }),
    },
    history: await readMigrations(resolve(__dirname, settings.migrations.directory)),
    migrator: bundleMigrator(),
    tags: { project, stack, app: settings.app.name, commit: commit() },
  };
}

async function readMigrations(directory: string): Promise<PackedHistory> {
  try {
    return await packHistory(directory);
  } catch (error) {
    // It is shown without a stack trace: the mistake is in the folder, not in the program.
    throw new ReleaseError(
      `${(error as Error).message}\nNothing was touched: database and app are as they were.\n` +
        "Correct the folder and run the same command again.",
    );
  }
}

/** The commit that is being released; "unknown" outside a checkout. */
function commit(): string {
  const fromCi = process.env["GITHUB_SHA"] ?? process.env["CI_COMMIT_SHA"];
  if (fromCi) return fromCi;
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: __dirname, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}
