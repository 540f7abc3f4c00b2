import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { PrismaFile } from "../migrations/revert/prisma-schema";

/** A schema that was found: its path, and whether Prisma's own commands find it too. */
export interface FoundSchema {
  readonly path: string;
  readonly found: boolean;
  /** The tables and enums that prisma.config.ts names as external, which Prisma doesn't migrate. Default: none. */
  readonly external?: readonly string[];
}

/**
 * Finds the Prisma schema that belongs to a folder of migrations, by Prisma's own rules: `schema` in prisma.config.ts
 * (read as text, never run), `prisma.schema` in package.json, `prisma/schema.prisma`, and `prisma/schema/`. It looks no
 * further up than the package that contains the migrations.
 * @returns undefined if there is none, or if it belongs to another folder of migrations
 */
export function findSchema(migrations: string): FoundSchema | undefined {
  const folder = dirname(resolve(migrations));
  for (let at = folder, depth = 0; depth < 4; at = dirname(at), depth++) {
    const named = configured(at, migrations) ?? packaged(at);
    if (named) return isSchema(named.path) ? { ...named, path: shown(named.path) } : undefined;
    if (existsSync(join(at, "package.json")) || existsSync(join(at, ".git")) || at === dirname(at)) break;
  }
  const beside = [join(folder, "schema.prisma"), join(folder, "schema"), folder].find(isSchema);
  return beside === undefined ? undefined : { path: shown(beside), found: isUsual(beside) };
}

/** Whether Prisma's commands find a schema at this path without being told. */
export function isUsual(path: string): boolean {
  return /^(prisma\/)?schema(\.prisma)?$/.test(shown(resolve(path)).replaceAll("\\", "/"));
}

/** The path relative to the working directory, which is how a person types it. */
function shown(path: string): string {
  return relative(process.cwd(), path) || ".";
}

function isSchema(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true || (stats?.isDirectory() === true && filesIn(path).length > 0);
}

const configs = ["ts", "mts", "cts", "js", "mjs", "cjs"].flatMap((extension) => [
  `prisma.config.${extension}`,
  join(".config", `prisma.${extension}`),
]);

/** A path in the text of a configuration: `schema: "prisma"`, `schema: path.join(__dirname, "prisma")`. */
function pathIn(text: string, key: string): string | undefined {
  const joined = `(?:(?:path\\.)?(?:join|resolve)\\(\\s*(?:__dirname|import\\.meta\\.dirname|process\\.cwd\\(\\))\\s*,\\s*)?`;
  return new RegExp(`\\b${key}\\s*:\\s*${joined}["'\`]([^"'\`$]+)["'\`]\\s*[,)}\\n]`).exec(text)?.[1];
}

function configured(folder: string, migrations: string): FoundSchema | undefined {
  for (const name of configs) {
    const text = withoutComments(textOf(join(folder, name)) ?? "");
    const schema = pathIn(text, "schema");
    if (schema === undefined) continue;
    const inside = /\bmigrations\s*:\s*\{([^}]*)\}/.exec(text)?.[1] ?? "";
    const own = pathIn(`${inside}\n`, "path");
    // The configuration is for another folder of migrations.
    if (own !== undefined && resolve(folder, own) !== resolve(migrations)) continue;
    return { path: resolve(folder, schema), found: true, external: externalIn(text) };
  }
  return undefined;
}

/** The names in `external: ["public.users"]`. */
function externalIn(text: string): string[] {
  const lists = [...text.matchAll(/\bexternal\s*:\s*\[([^\]]*)\]/g)].map(([, list]) => list ?? "");
  return lists.flatMap((list) => [...list.matchAll(/["'`]([^"'`]+)["'`]/g)].map(([, name]) => name ?? ""));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}

function packaged(folder: string): FoundSchema | undefined {
  const text = textOf(join(folder, "package.json"));
  if (text === undefined) return undefined;
  try {
    const manifest: { prisma?: { schema?: unknown } } | null = JSON.parse(text);
    const schema = manifest?.prisma?.schema;
    return typeof schema === "string" ? { path: resolve(folder, schema), found: true } : undefined;
  } catch {
    return undefined;
  }
}

/** The largest file that is read, in bytes, and the greatest number of files. */
const mostBytes = 16 * 1024 * 1024;
const mostFiles = 1000;

function textOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size <= mostBytes ? readFileSync(path, "utf8") : undefined;
}

/** The `*.prisma` files of a folder and of the folders in it, without links. */
function filesIn(folder: string): string[] {
  const found: string[] = [];
  const look = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name);
      if (entry.isFile() && entry.name.endsWith(".prisma") && found.length < mostFiles) found.push(path);
      if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== "migrations") look(path);
    }
  };
  look(folder);
  return found;
}

/**
 * Reads a schema: a file, or the `*.prisma` files of a folder.
 * @returns undefined if there is no such file or folder
 */
export function readSchema(path: string): PrismaFile[] | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  const paths = stats.isDirectory() ? filesIn(path) : [path];
  return paths.flatMap((each) => {
    const text = textOf(each);
    return text === undefined ? [] : { path: shown(resolve(each)), text };
  });
}
