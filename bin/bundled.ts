import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BuildOptions } from "esbuild";

/** Whether this is a command of the package that `npm pack` makes. The build of the command sets it. */
declare const PACKAGED: boolean;

/** What kept-build.cjs exports. It is plain JavaScript, because bin/start.cjs runs before TypeScript can. */
interface KeptBuild {
  kept(root: string, file: string): string | undefined;
  keep(root: string, file: string, inputs: readonly string[], built: string): string;
}

/** The modules that decide how a program is built, apart from its own sources. A test compares them with their imports. */
export const RECIPE = [
  "backup/bundle.ts",
  "bin/bundled.ts",
  "bin/kept-build.cjs",
  "migrator/cli/bundle.ts",
  "migrator/cli/self-extracting.ts",
  "migrator/db/amazon-authorities.ts",
  "report/reader/bundle.ts",
];

/**
 * Returns a function that returns a program as one minified CommonJS file for Node 20 and later. The file is kept in
 * node_modules/.cache/bundled, and built again when a source or package of it changes. If it can't be written there, it
 * is built once per process. The package that `npm pack` makes has no sources; there the finished file is read.
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
    if (packaged) return pack(build(root, options(), packaged).program);
    text ??= existsSync(finished) ? readFileSync(finished, "utf8") : keptOrBuilt();
    return text;
  };

  function keptOrBuilt(): string {
    const { keep, kept }: KeptBuild = require("./kept-build.cjs");
    const file = join(root, "node_modules/.cache/bundled", prebuilt);
    let whole = kept(root, file);
    if (whole === undefined) {
      const { program, sources } = build(root, options(), false);
      whole = keep(root, file, [...sources, ...RECIPE, "package-lock.json"], pack(program));
    }
    // The first line contains the stamps, which differ from machine to machine.
    return whole.slice(whole.indexOf("\n") + 1);
  }
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

function build(root: string, options: BuildOptions, packaged: boolean): { program: string; sources: string[] } {
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
    metafile: true,
    write: false,
  });
  return { program: result.outputFiles[0]!.text, sources: Object.keys(result.metafile.inputs) };
}
