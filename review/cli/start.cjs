// `npm run review`: the review as one file, made of the sources when they changed, and kept with what V8 compiled of it. Without
// tsx and with the compiler's work done, it begins in a fifth of the time. In a checkout that can't be written it is made each time.
"use strict";
const { createHash } = require("node:crypto");
const { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

const root = join(__dirname, "../..");

// Node would end with 1, which says that there are warnings.
process.once("uncaughtException", (error) => {
  // A reader that has seen enough (`| head`).
  if (error.code === "EPIPE") process.exit();
  const missing = error.code === "MODULE_NOT_FOUND" || /node_modules/.test(error.path ?? "");
  // Where in the program an error was met is for whoever mends it, and no help where a package is missing.
  console.error(missing ? `A package is missing (${error.message.split("\n")[0]}). Install all: npm ci` : error);
  console.error("Nothing was reviewed; no database is involved.");
  process.exit(3);
});
const cache = join(root, "node_modules", ".cache", "review");
/** What the file is made of: all TypeScript in these folders, and these packages. */
const folders = ["migrations", "review", "settings", "text"];
const packages = ["commander", "esbuild", "fastest-levenshtein", "libpg-query", "yaml", "zod"];

const quick = ["--no-opt", "--liftoff-only", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"];

function sources(folder, found = []) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) sources(path, found);
    else if (path.endsWith(".ts") || path.endsWith(".cjs")) found.push(path);
  }
  return found;
}

/** Changes with every byte of the sources, every version of a package, and with Node itself. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.version} ${process.arch}\0`);
  const files = folders.flatMap((folder) => sources(folder)).sort();
  for (const file of [...files, ...packages.map((name) => `node_modules/${name}/package.json`)]) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 32);
}

function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also when two write at once; a folder that can't be written is no mistake. */
function keep(file, content) {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(temporary, content);
    renameSync(temporary, file);
    return true;
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // There is nothing: the folder itself is missing.
    }
    return false;
  }
}

const name = fingerprint();
const file = join(cache, `${name}.cjs`);
const compiled = join(cache, `${name}.v8`);
// ASCII, which esbuild writes: a character is a byte.
let source = read(file)?.toString("latin1");
if (source === undefined) {
  source = require("./bundle.cjs").bundle(root);
  for (const old of keep(file, source) ? readdirSync(cache) : [])
    if (!old.startsWith(name) && !/\.\d+$/.test(old)) rmSync(join(cache, old), { force: true });
}
// A review is over before better code would pay.
for (const flag of quick) setFlagsFromString(flag);
const cachedData = read(compiled);
const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
  filename: file,
  ...(cachedData && { cachedData }),
});
const program = { exports: {} };
// As if the file stood here: packages are found, however the checkout was reached.
script.runInThisContext()(program.exports, createRequire(__filename), program, __filename, __dirname);
program.exports
  .main(
    process.argv.slice(2),
    (text) => process.stdout.write(text),
    (text) => process.stderr.write(text),
  )
  .then((status) => {
    process.exitCode = status;
    // After the work, so that the functions it needed are in it.
    if (!cachedData || script.cachedDataRejected) keep(compiled, script.createCachedData());
    // All is written by then; taking the parser and its memory down in order would be for nothing.
    process.stdout.write("", () => process.exit());
  });
