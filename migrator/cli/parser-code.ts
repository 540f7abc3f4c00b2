import { setFlagsFromString } from "node:v8";
import { brotliDecompressSync } from "node:zlib";

/** Packed into the file by bundle.ts: brotli, base64, 335 kB. */
declare const EMBEDDED_PARSER: string;

/** Unpacks the SQL parser that the bundle holds, as WebAssembly. */
export function parserCode(): Uint8Array<ArrayBuffer> {
  // The optimising compiler would take 50 MiB to make a program faster that runs for a second; nothing else here is WebAssembly.
  setFlagsFromString("--liftoff-only");
  return brotliDecompressSync(Buffer.from(EMBEDDED_PARSER, "base64"));
}
