import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleBranch, bundleDump, bundlePrune, bundleRestore } from "../backup/bundle";
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
// Messages of the components name the package's commands, as those of the bundled programs do.
const commandLine = join(dist, "text/command-line.js");
writeFileSync(commandLine, `const PACKAGED = true;\n${readFileSync(commandLine, "utf8")}`);
writePlainTypes(dist, join(dist, "program/index.d.ts"));
writeFileSync(join(dist, "migrator.cjs"), bundleMigrator(true));
writeFileSync(join(dist, "rds-signer.cjs"), bundleRdsSigner(true));
writeFileSync(join(dist, "branch.cjs"), bundleBranch(true));
writeFileSync(join(dist, "dump.cjs"), bundleDump(true));
writeFileSync(join(dist, "restore-dump.cjs"), bundleRestore(true));
writeFileSync(join(dist, "prune.cjs"), bundlePrune(true));
writeFileSync(join(dist, "schema-gate.cjs"), bundleSchemaGate(true));
writeFileSync(join(dist, "schema-gate-iam.cjs"), bundleIamSchemaGate(true));
writeFileSync(join(dist, "report.cjs"), bundleReportReader(true));
writeFileSync(join(dist, "review.cjs"), buildCommand(root, "review/cli/main.ts", true).outputFiles[0]!.text);
for (const command of ["ops", "restore", "trial"])
  writeFileSync(join(dist, `${command}.cjs`), buildCommand(root, `${command}/main.ts`, true).outputFiles[0]!.text);
mkdirSync(join(dist, "bin"), { recursive: true });
copyFileSync(join(root, "bin/start.cjs"), join(dist, "bin/start.cjs"));
copyFileSync(join(root, "quick-errors.cjs"), join(dist, "quick-errors.cjs"));
