/** libpg-query/wasm/libpg-query.js, the Emscripten module inside the package; whoever bundles resolves the name. */
declare module "postgres-grammar" {
  export default function load(options: {
    instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): void;
  }): Promise<unknown>;
}

/** Where a bundle has the parser's compiled code: packed into itself, or in the package beside it. */
declare module "parser-code" {
  export function parserCode(): Uint8Array<ArrayBuffer>;
}
