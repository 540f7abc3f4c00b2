import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleDump } from "../backup/bundle";
import { bundleIamSchemaGate, bundleMigrator, bundleRdsSigner, bundleSchemaGate } from "../migrator/cli/bundle";
import { bundleReportReader } from "../report/reader/bundle";
import { writePlainTypes } from "./plain-types";

/**
 * `npm run build` makes `dist/`, which is what the package contains: the components with their types, the programs that
 * run in Jobs or beside `pulumi up` as one file each, and the commands of its `bin`.
 */
const root = join(__dirname, "..");
const dist = join(root, "dist");
const buildCommand: (root: string, source: string, packaged: boolean) => { outputFiles: { text: string }[] } =
  require("./build-command.cjs");

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, "node_modules/typescript-7/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
writePlainTypes(dist, join(dist, "program/index.d.ts"));
writeFileSync(join(dist, "migrator.cjs"), bundleMigrator(true));
writeFileSync(join(dist, "rds-signer.cjs"), bundleRdsSigner(true));
writeFileSync(join(dist, "dump.cjs"), bundleDump(true));
writeFileSync(join(dist, "schema-gate.cjs"), bundleSchemaGate(true));
writeFileSync(join(dist, "schema-gate-iam.cjs"), bundleIamSchemaGate(true));
writeFileSync(join(dist, "report.cjs"), bundleReportReader(true));
writeFileSync(join(dist, "review.cjs"), buildCommand(root, "review/cli/main.ts", true).outputFiles[0]!.text);
writeFileSync(join(dist, "ops.cjs"), buildCommand(root, "ops/main.ts", true).outputFiles[0]!.text);
mkdirSync(join(dist, "bin"), { recursive: true });
copyFileSync(join(root, "bin/start.cjs"), join(dist, "bin/start.cjs"));
copyFileSync(join(root, "quick-errors.cjs"), join(dist, "quick-errors.cjs"));
