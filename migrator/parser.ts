import { setFlagsFromString } from "node:v8";
import { brotliDecompressSync } from "node:zlib";
import loadWasm from "postgres-grammar";

/**
 * Stands in for `libpg-query` inside the bundle: the same functions over the same compiled parser, whose code bundle.ts packs
 * into the file (brotli, base64, 335 kB). The package itself looks for a file beside it, and loads it whether it is needed or not.
 */
declare const EMBEDDED_PARSER: string;

interface Wasm {
  _wasm_parse_query_raw(query: number): number;
  _wasm_free_parse_result(result: number): void;
  _wasm_parse_plpgsql(query: number): number;
  _wasm_scan(query: number): number;
  _wasm_free_string(text: number): void;
  _malloc(size: number): number;
  _free(pointer: number): void;
  getValue(pointer: number, type: "i32"): number;
  lengthBytesUTF8(text: string): number;
  stringToUTF8(text: string, pointer: number, size: number): void;
  UTF8ToString(pointer: number): string;
}

export class SqlError extends Error {
  override readonly name = "SqlError";
  constructor(
    message: string,
    readonly sqlDetails: { message: string; cursorPosition: number },
  ) {
    super(message);
  }
}

export function hasSqlDetails(error: unknown): error is SqlError {
  return error instanceof SqlError;
}

let wasm: Wasm | undefined;

export async function loadModule(): Promise<void> {
  if (wasm) return;
  // The optimising compiler would take 50 MiB to make a program faster that runs for a second; nothing else here is WebAssembly.
  setFlagsFromString("--liftoff-only");
  const code = new WebAssembly.Module(brotliDecompressSync(Buffer.from(EMBEDDED_PARSER, "base64")));
  wasm = (await loadWasm({
    instantiateWasm: (imports, receive) => receive(new WebAssembly.Instance(code, imports)),
  })) as Wasm;
}

/** Result struct of libpg_query: parse tree, stderr buffer, error; the error's: message, function, file, line, position from 1. */
export function parseSync(sql: string): unknown {
  return withText(sql, (module, query) => {
    const result = module._wasm_parse_query_raw(query);
    try {
      const error = module.getValue(result + 8, "i32");
      if (error === 0) return JSON.parse(module.UTF8ToString(module.getValue(result, "i32")));
      const message = module.UTF8ToString(module.getValue(error, "i32"));
      throw new SqlError(message, { message, cursorPosition: Math.max(module.getValue(error + 16, "i32") - 1, 0) });
    } finally {
      module._wasm_free_parse_result(result);
    }
  });
}

export function scanSync(sql: string): unknown {
  return withText(sql, (module, query) => readJson(module, module._wasm_scan(query)));
}

export function parsePlPgSQLSync(sql: string): unknown {
  return withText(sql, (module, query) => readJson(module, module._wasm_parse_plpgsql(query)));
}

/** Anything but JSON is the text of an error. */
function readJson(module: Wasm, pointer: number): unknown {
  try {
    const text = module.UTF8ToString(pointer);
    if (!text.startsWith("{")) throw new SqlError(text, { message: text, cursorPosition: 0 });
    return JSON.parse(text);
  } finally {
    module._wasm_free_string(pointer);
  }
}

function withText<T>(sql: string, use: (module: Wasm, query: number) => T): T {
  if (!wasm) throw new Error("loadModule() was not awaited");
  const size = wasm.lengthBytesUTF8(sql) + 1;
  const query = wasm._malloc(size);
  try {
    wasm.stringToUTF8(sql, query, size);
    return use(wasm, query);
  } finally {
    wasm._free(query);
  }
}
