import { readFileSync } from "node:fs";

export function parserCode(): Uint8Array<ArrayBuffer> {
  return readFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"));
}
