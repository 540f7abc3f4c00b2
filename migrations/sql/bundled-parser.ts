import { parserCode } from "parser-code";
import loadWasm from "postgres-grammar";

/**
 * Stands in for `libpg-query` inside the bundles of migrator and review: the same functions over the same compiled parser. The package
 * itself looks for a file beside it, loads it whether it is needed or not, compiles it twice, and passes texts character by character.
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

/** Whether an error is the parser's, and tells the position. */
export function hasSqlDetails(error: unknown): error is SqlError {
  return error instanceof SqlError;
}

let wasm: Wasm | undefined;
let view: Buffer | undefined;

/** Compiles the parser, once. */
export async function loadModule(): Promise<void> {
  if (wasm) return;
  const code = new WebAssembly.Module(parserCode());
  wasm = (await loadWasm({
    instantiateWasm: (imports, receive) => receive(new WebAssembly.Instance(code, imports)),
  })) as Wasm;
}

/** Result struct of libpg_query: parse tree, stderr buffer, error; the error's: message, function, file, line, position from 1. */
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

/** The tokens of a text, as Postgres' scanner has them. */
export function scanSync(sql: string): unknown {
  return withText(sql, (module, query) => readJson(module, module._wasm_scan(query)));
}

/** The tree of a function or block in PL/pgSQL. @throws SqlError */
export function parsePlPgSQLSync(sql: string): unknown {
  return withText(sql, (module, query) => readJson(module, module._wasm_parse_plpgsql(query)));
}

/** Anything but JSON is the text of an error. */
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

/** The parser's memory: another one whenever it grew. */
function bytes({ HEAPU8 }: Wasm): Buffer {
  if (view?.buffer !== HEAPU8.buffer) view = Buffer.from(HEAPU8.buffer);
  return view as Buffer;
}

function number(module: Wasm, pointer: number): number {
  return bytes(module).readInt32LE(pointer);
}

/** From the pointer to the zero byte. */
function text(module: Wasm, pointer: number): string {
  const memory = bytes(module);
  return memory.toString("utf8", pointer, memory.indexOf(0, pointer));
}
