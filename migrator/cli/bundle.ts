import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { bundled } from "../../bin/bundled";

/**
 * Returns the migrator as one CommonJS file for Node 20 and later, including its SQL parser. The file is under 950 kB,
 * because it is stored in a ConfigMap of its own, which is limited to 1 MiB. The same sources give the same bytes on
 * every machine. The file is built once per process.
 */
export const bundleMigrator = bundled("migrator.cjs", () => {
  const parser = readFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"));
  const packed = brotliCompressSync(parser, {
    // Quality 9 takes a seventh of the time of quality 11, and its result is 15 % larger.
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: parser.length },
  });
  return {
    entryPoints: ["migrator/cli/main.ts"],
    // pg tries to load its native variant, which is not installed.
    external: ["pg-native"],
    alias: {
      "libpg-query": "./migrations/sql/bundled-parser.ts",
      "parser-code": "./migrator/cli/parser-code.ts",
      "postgres-grammar": require.resolve("libpg-query/wasm/libpg-query.js"),
    },
    define: {
      EMBEDDED_PARSER: JSON.stringify(packed.toString("base64")),
      // pg creates a Response to find out whether it runs in a Cloudflare Worker. On Node 20 that loads all of fetch,
      // which takes 30 to 90 ms.
      Response: "undefined",
    },
  };
});
