/** libpg-query/wasm/libpg-query.js, the Emscripten module inside the package; bundle.ts resolves the name. */
declare module "postgres-grammar" {
  export default function load(options: {
    instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): void;
  }): Promise<unknown>;
}
