import { readFileSync } from "node:fs";

/** Reads the WebAssembly code of Postgres' parser from the installed package. */
export function parserCode(): Uint8Array<ArrayBuffer> {
  return readFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"));
}
