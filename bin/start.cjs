#!/usr/bin/env node
// `node bin/start.cjs COMMAND …` runs a command of this project as one file that esbuild builds from its sources. The
// file is kept in node_modules/.cache/start, and built again when a source or package in it changes. If it can't be
// written there, it is built each time. The package contains the finished files and no sources; there this is
// `postgres-release COMMAND …`.
"use strict";
const { existsSync, readFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");

/** The flags of V8 for a review, which ends before optimised code would save time; a deploy runs longer. */
const quick = ["--no-opt", "--liftoff-only", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"];

/** The source of each command, its exit status for a defect of its own, and flags for V8. */
const commands = {
  migrator: { source: "migrator/cli/main.ts", defect: 70, flags: [] },
  ops: { source: "ops/main.ts", defect: 70, flags: [] },
  restore: { source: "restore/main.ts", defect: 70, flags: [] },
  review: { source: "review/cli/main.ts", defect: 3, flags: quick },
  // A preview starts this one. It is not for people.
  trial: { source: "trial/main.ts", defect: 70, flags: [] },
};

const root = join(__dirname, "..");
const [name = ""] = process.argv.slice(2);
const packaged = existsSync(join(root, "migrator.cjs"));
if (!Object.hasOwn(commands, name)) {
  const start = packaged ? "npx postgres-release" : "node bin/start.cjs";
  console.error(`Unknown command "${name}". Type: ${start} ${Object.keys(commands).join("|")} …`);
  process.exit(2);
}
const { source, defect, flags } = commands[name];
const file = join(root, packaged ? "." : "node_modules/.cache/start", `${name}.cjs`);

process.once("uncaughtException", (error) => {
  // The reader of the output has closed it, as `| head` does.
  if (error.code === "EPIPE") process.exit();
  const missing = error.code === "MODULE_NOT_FOUND" || /Could not resolve/.test(error.message);
  // The stack of an error helps a developer of this project; if a package is missing, it doesn't help.
  console.error(missing ? `A package is missing (${error.message.split("\n")[0]}). Install all: npm ci` : error);
  console.error(`${name} stopped before its end.`);
  process.exit(defect);
});

/** Returns the kept program, or builds and keeps it. The package has the finished files, and not these modules. */
function made() {
  const { keep, kept } = require("./kept-build.cjs");
  const before = kept(root, file);
  if (before !== undefined) return before;
  const { outputFiles, metafile } = require("./build-command.cjs")(root, source, false);
  const recipe = ["bin/start.cjs", "bin/build-command.cjs", "bin/kept-build.cjs", "package-lock.json"];
  return keep(root, file, [...Object.keys(metafile.inputs), ...recipe], outputFiles[0].text);
}

const text = packaged ? readFileSync(file, "utf8") : made();
for (const flag of flags) setFlagsFromString(flag);
process.argv.splice(1, 2, file);
const program = new Module(file);
program.filename = file;
program.paths = Module._nodeModulePaths(root);
process.mainModule = program;
program._compile(text, file);
