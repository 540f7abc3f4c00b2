import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { buildSync } from "esbuild";

let bundled: string | undefined;

/** In the package that `npm pack` makes, the file is there already, and the sources are not. */
const PREBUILT = join(__dirname, "../..", "migrator.cjs");

/**
 * The migrator as one CommonJS file for Node 20 and later, its SQL parser included; under 950 kB: it has a ConfigMap of its own, which holds 1 MiB.
 * The same sources give the same bytes on every machine. Made once a process.
 */
export function bundleMigrator(): string {
  bundled ??= existsSync(PREBUILT) ? readFileSync(PREBUILT, "utf8") : build();
  return bundled;
}

function build(): string {
  const parser = readFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"));
  const packed = brotliCompressSync(parser, {
    // 9 takes a seventh of the time of 11 and 15 % more room.
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
    // pg looks for its native variant, which is not installed.
    external: ["pg-native"],
    alias: {
      "libpg-query": "./migrations/sql/bundled-parser.ts",
      "parser-code": "./migrator/cli/parser-code.ts",
      "postgres-grammar": require.resolve("libpg-query/wasm/libpg-query.js"),
    },
    define: {
      EMBEDDED_PARSER: JSON.stringify(packed.toString("base64")),
      // pg makes one to find out whether it runs in a Cloudflare Worker; on Node 20 that loads all of fetch, 30 to 90 ms.
      Response: "undefined",
    },
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]!.text;
}
