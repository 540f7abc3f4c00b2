// `node bin/start.cjs COMMAND …` runs a command of this project as one file that esbuild makes of its sources. The file is kept in
// node_modules/.cache/start, and made anew when a source or package in it changes. Where that can't be written, it is made each time.
"use strict";
const { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { dirname, join } = require("node:path");
const { setFlagsFromString } = require("node:v8");

/** A review is over before better code would pay; a deploy is not. */
const quick = ["--no-opt", "--liftoff-only", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"];

/** The source of each command, its exit status for a defect of its own, and flags for V8. */
const commands = {
  migrator: { source: "migrator/cli/main.ts", defect: 70, flags: [] },
  review: { source: "review/cli/main.ts", defect: 3, flags: quick },
};

const root = join(__dirname, "..");
const [name = ""] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) {
  console.error(`Unknown command "${name}". Type: node bin/start.cjs ${Object.keys(commands).join("|")} …`);
  process.exit(2);
}
const { source, defect, flags } = commands[name];
const file = join(root, "node_modules/.cache/start", `${name}.cjs`);

process.once("uncaughtException", (error) => {
  // The reader has seen enough (`| head`).
  if (error.code === "EPIPE") process.exit();
  const missing = error.code === "MODULE_NOT_FOUND" || /Could not resolve/.test(error.message);
  // Where in the program an error was met is for whoever mends it, and no help where a package is missing.
  console.error(missing ? `A package is missing (${error.message.split("\n")[0]}). Install all: npm ci` : error);
  console.error(`${name} stopped before its end.`);
  process.exit(defect);
});

/** Changes when a file does. */
function stamp(path) {
  const { mtimeMs, size } = statSync(join(root, path));
  return `${mtimeMs} ${size}`;
}

/** The kept program, whose first line has the stamps of all that it is made of; undefined if one differs. */
function kept() {
  try {
    const text = readFileSync(file, "utf8");
    const stamps = Object.entries(JSON.parse(text.slice(2, text.indexOf("\n"))));
    return stamps.length > 0 && stamps.every(([path, was]) => was === stamp(path)) ? text : undefined;
  } catch {
    return undefined;
  }
}

function made() {
  const { outputFiles, metafile } = require("esbuild").buildSync({
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    // Not minified: its lines are what a person sees of an unexpected error.
    keepNames: true,
    legalComments: "none",
    external: ["squawk-cli", "pg-native"],
    alias: {
      "libpg-query": "./migrations/sql/bundled-parser.ts",
      "parser-code": "./bin/parser-code.ts",
      "postgres-grammar": require.resolve("libpg-query/wasm/libpg-query.js"),
    },
    // pg asks for it to find out whether it runs in a Cloudflare Worker; on Node 20 that loads all of fetch, 30 to 90 ms.
    define: { Response: "undefined" },
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const inputs = [...Object.keys(metafile.inputs), "bin/start.cjs", "package-lock.json"];
  const stamps = Object.fromEntries(inputs.map((path) => [path, stamp(path)]));
  const text = `//${JSON.stringify(stamps)}\n${outputFiles[0].text}`;
  keep(text);
  return text;
}

/** Whole or not at all, also when two write at once. */
function keep(text) {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // There is nothing: the folder itself is missing.
    }
  }
}

const text = kept() ?? made();
for (const flag of flags) setFlagsFromString(flag);
process.argv.splice(1, 2, file);
const program = new Module(file);
program.filename = file;
program.paths = Module._nodeModulePaths(root);
process.mainModule = program;
program._compile(text, file);
