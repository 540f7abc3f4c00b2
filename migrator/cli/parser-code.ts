import { setFlagsFromString } from "node:v8";
import { brotliDecompressSync } from "node:zlib";

/** The SQL parser, compressed with brotli and encoded in base64, 335 kB. bundle.ts inserts it at build time. */
declare const EMBEDDED_PARSER: string;

/** Unpacks the WebAssembly code of the SQL parser that the bundle contains. */
export function parserCode(): Uint8Array<ArrayBuffer> {
  // The optimising compiler would take 50 MiB to speed up a program that runs for a second. Nothing else in this
  // program is WebAssembly.
  setFlagsFromString("--liftoff-only");
  return brotliDecompressSync(Buffer.from(EMBEDDED_PARSER, "base64"));
}
