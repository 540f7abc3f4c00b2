import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

let bundled: string | undefined;

/** The path of the finished bundle. It exists only in the package that `npm pack` makes, which has no sources. */
const PREBUILT = join(__dirname, "../..", "report.cjs");

/**
 * Returns the program that reads the Jobs' reports after the rollout, as one CommonJS file for the Node.js that runs
 * `pulumi up`. The file is built once per process.
 */
export function bundleReportReader(): string {
  bundled ??= existsSync(PREBUILT) ? readFileSync(PREBUILT, "utf8") : build();
  return bundled;
}

function build(): string {
  const result = buildSync({
    absWorkingDir: join(__dirname, "../.."),
    entryPoints: ["report/reader/main.ts"],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    legalComments: "none",
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]!.text;
}
