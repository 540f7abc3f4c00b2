import { parserCode } from "parser-code";
import loadWasm from "postgres-grammar";

/**
 * This module replaces `libpg-query` inside the bundles of the migrator and the review. It offers the same functions
 * over the same compiled parser. The package itself always loads a file beside it, even where the parser isn't needed;
 * it compiles that file twice, and copies texts character by character.
 */
interface Wasm {
  _wasm_parse_query_raw(query: number): number;
  _wasm_free_parse_result(result: number): void;
  _wasm_parse_plpgsql(query: number): number;
  _wasm_scan(query: number): number;
  _wasm_free_string(text: number): void;
  _malloc(size: number): number;
  _free(pointer: number): void;
  HEAPU8: Uint8Array;
}

/** SQL that the parser refuses. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  constructor(
    message: string,
    readonly sqlDetails: { message: string; cursorPosition: number },
  ) {
    super(message);
  }
}

/** Whether an error comes from the parser and contains the position. */
export function hasSqlDetails(error: unknown): error is SqlError {
  return error instanceof SqlError;
}

let wasm: Wasm | undefined;
let view: Buffer | undefined;

/** Compiles the parser on the first call; later calls do nothing. */
export async function loadModule(): Promise<void> {
  if (wasm) return;
  const code = new WebAssembly.Module(parserCode());
  wasm = (await loadWasm({
    instantiateWasm: (imports, receive) => receive(new WebAssembly.Instance(code, imports)),
  })) as Wasm;
}

/**
 * Parses a script. The result struct of libpg_query has three pointers: the parse tree, the stderr buffer and the
 * error. The struct of an error has its message, function, file, line, and its position, counted from 1.
 * @throws SqlError when the text isn't SQL
 */
export function parseSync(sql: string): unknown {
  return withText(sql, (module, query) => {
    const result = module._wasm_parse_query_raw(query);
    try {
      const error = number(module, result + 8);
      if (error === 0) return JSON.parse(text(module, number(module, result)));
      const message = text(module, number(module, error));
      throw new SqlError(message, { message, cursorPosition: Math.max(number(module, error + 16) - 1, 0) });
    } finally {
      module._wasm_free_parse_result(result);
    }
  });
}

/**
 * The tokens of a text, as Postgres' own scanner splits it.
 * @throws SqlError when the scanner refuses the text
 */
export function scanSync(sql: string): unknown {
  return withText(sql, (module, query) => readJson(module, module._wasm_scan(query)));
}

/**
 * The syntax tree of a function or block in PL/pgSQL.
 * @throws SqlError when the parser refuses the text
 */
export function parsePlPgSQLSync(sql: string): unknown {
  return withText(sql, (module, query) => readJson(module, module._wasm_parse_plpgsql(query)));
}

/** Reads the parser's answer: whatever doesn't begin with `{` is an error message. */
function readJson(module: Wasm, pointer: number): unknown {
  try {
    const found = text(module, pointer);
    if (!found.startsWith("{")) throw new SqlError(found, { message: found, cursorPosition: 0 });
    return JSON.parse(found);
  } finally {
    module._wasm_free_string(pointer);
  }
}

function withText<T>(sql: string, use: (module: Wasm, query: number) => T): T {
  if (!wasm) throw new Error("loadModule() was not awaited");
  const size = Buffer.byteLength(sql);
  const query = wasm._malloc(size + 1);
  try {
    const memory = bytes(wasm);
    memory.write(sql, query, size, "utf8");
    memory[query + size] = 0;
    return use(wasm, query);
  } finally {
    wasm._free(query);
  }
}

/** The parser's memory as a Buffer. WebAssembly replaces its ArrayBuffer whenever the memory grows. */
function bytes({ HEAPU8 }: Wasm): Buffer {
  if (view?.buffer !== HEAPU8.buffer) view = Buffer.from(HEAPU8.buffer);
  return view as Buffer;
}

function number(module: Wasm, pointer: number): number {
  return bytes(module).readInt32LE(pointer);
}

/** Reads the string that begins at the pointer and ends before the next zero byte. */
function text(module: Wasm, pointer: number): string {
  const memory = bytes(module);
  return memory.toString("utf8", pointer, memory.indexOf(0, pointer));
}
