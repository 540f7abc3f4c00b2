import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BuildOptions } from "esbuild";

/** Whether this is a command of the package that `npm pack` makes. The build of the command sets it. */
declare const PACKAGED: boolean;

/**
 * Returns a function that returns a program as one minified CommonJS file for Node 20 and later. The file is built once
 * per process. The package that `npm pack` makes has no sources; there the finished file is read.
 *
 * @param prebuilt the name of the finished file in the package
 * @param options the source of the program, and what else esbuild needs; only called when the file is built
 * @param pack makes the file of the program. Default: the file is the program itself.
 */
export function bundled(
  prebuilt: string,
  options: () => BuildOptions & { entryPoints: [string] },
  pack: (program: string) => string = (program) => program,
): Bundle {
  const root = sources();
  // A command of the package is beside the finished files, and this module alone is in a folder of theirs.
  const isCommand = typeof PACKAGED !== "undefined" && PACKAGED;
  const finished = join(__dirname, isCommand ? "." : "..", prebuilt);
  let text: string | undefined;
  return (packaged = false) => {
    if (packaged) return pack(build(root, options(), packaged));
    text ??= existsSync(finished) ? readFileSync(finished, "utf8") : pack(build(root, options(), packaged));
    return text;
  };
}

/**
 * Returns the program as one file.
 *
 * @param packaged Whether to build the file of the package, whose messages name the package's commands. Default: false.
 */
export type Bundle = (packaged?: boolean) => string;

/**
 * Returns the folder of the sources: the nearest one above this file that has a package.json. This module is in `bin/`,
 * and also a part of the programs that `bin/start.cjs` keeps in node_modules/.cache.
 */
function sources(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function build(root: string, options: BuildOptions, packaged: boolean): string {
  // The package has the finished files, so it doesn't need esbuild.
  const { buildSync }: typeof import("esbuild") = require("esbuild");
  const result = buildSync({
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    legalComments: "none",
    logLevel: "silent",
    ...options,
    define: { ...options.define, PACKAGED: String(packaged) },
    write: false,
  });
  return result.outputFiles[0]!.text;
}
