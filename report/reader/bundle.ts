import { bundled } from "../../bin/bundled";

/**
 * Returns the program that reads the Jobs' reports after the rollout, as one CommonJS file for the Node.js that runs
 * `pulumi up`. The file is built once per process.
 */
export const bundleReportReader = bundled("report.cjs", () => ({ entryPoints: ["report/reader/main.ts"] }));
