// Keeps what esbuild builds, until a source or package of it changes. The first line of a kept file contains the stamps of
// all files that it is built from.
"use strict";
const { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

/** Returns a text that changes when the file does: its time of modification and its size. */
function stamp(root, path) {
  const { mtimeMs, size } = statSync(join(root, path));
  return `${mtimeMs} ${size}`;
}

/**
 * @param root the folder of the project
 * @param file the kept file
 * @returns its text, or undefined if one of the files that it is built from has changed, or nothing is kept
 */
exports.kept = (root, file) => {
  try {
    const text = readFileSync(file, "utf8");
    const stamps = Object.entries(JSON.parse(text.slice(2, text.indexOf("\n"))));
    return stamps.length > 0 && stamps.every(([path, was]) => was === stamp(root, path)) ? text : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Writes the file as a whole or not at all, even if two processes write at once. If it can't be written, the next
 * process builds it again.
 *
 * @param root the folder of the project
 * @param file the file to keep
 * @param inputs the files that it is built from, relative to root
 * @param built its text
 * @returns the text with the line of stamps before it
 */
exports.keep = (root, file, inputs, built) => {
  const stamps = Object.fromEntries(inputs.map((path) => [path, stamp(root, path)]));
  const text = `//${JSON.stringify(stamps)}\n${built}`;
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // There is nothing to remove, because the folder itself is missing.
    }
  }
  return text;
};
