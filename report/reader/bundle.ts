import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

let bundled: string | undefined;

/** In the package that `npm pack` makes, the file is there already, and the sources are not. */
const PREBUILT = join(__dirname, "../..", "report.cjs");

/** What reads the Jobs' reports after the rollout, as one CommonJS file for the Node.js that runs `pulumi up`. */
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
