"use strict";
const { buildSync } = require("esbuild");

/** The review as one CommonJS file for Node 20 and later, without squawk and the code of Postgres' parser. */
exports.bundle = (root) =>
  buildSync({
    absWorkingDir: root,
    entryPoints: ["review/cli/main.ts"],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    // Not minified: its lines are what a person sees of an unexpected error.
    legalComments: "none",
    external: ["squawk-cli"],
    alias: {
      "libpg-query": "./migrations/sql/bundled-parser.ts",
      "parser-code": "./review/cli/parser-code.ts",
      "postgres-grammar": require.resolve("libpg-query/wasm/libpg-query.js"),
    },
    write: false,
    logLevel: "error",
  }).outputFiles[0].text;
