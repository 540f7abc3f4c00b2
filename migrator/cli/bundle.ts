import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { buildSync } from "esbuild";

let bundled: string | undefined;

/** The path of the finished bundle. It exists only in the package that `npm pack` makes, which has no sources. */
const PREBUILT = join(__dirname, "../..", "migrator.cjs");

/**
 * Returns the migrator as one CommonJS file for Node 20 and later, including its SQL parser. The file is under 950 kB,
 * because it is stored in a ConfigMap of its own, which is limited to 1 MiB. The same sources give the same bytes on
 * every machine. The file is built once per process.
 */
export function bundleMigrator(): string {
  bundled ??= existsSync(PREBUILT) ? readFileSync(PREBUILT, "utf8") : build();
  return bundled;
}

function build(): string {
  const parser = readFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"));
  const packed = brotliCompressSync(parser, {
    // Quality 9 takes a seventh of the time of quality 11, and its result is 15 % larger.
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: parser.length },
  });
  const result = buildSync({
    absWorkingDir: join(__dirname, "../.."),
    entryPoints: ["migrator/cli/main.ts"],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    legalComments: "none",
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
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]!.text;
}
