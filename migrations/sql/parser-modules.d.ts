/** The Emscripten module libpg-query/wasm/libpg-query.js inside the package. The bundler resolves this name. */
declare module "postgres-grammar" {
  export default function load(options: {
    instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): void;
  }): Promise<unknown>;
}

/** Provides the parser's compiled code: either embedded in the bundle, or read from the package beside it. */
declare module "parser-code" {
  export function parserCode(): Uint8Array<ArrayBuffer>;
}
