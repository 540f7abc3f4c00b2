import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { checksumOf, type Migration } from "../../migrations/history/history";
import type { PrismaFile } from "../../migrations/revert/prisma-schema";
import { counted } from "../../text/counted";
import type { Applied } from "../applied";

/** This error reports that the base can't be read from git. Nothing was reviewed. */
export class BaseError extends Error {
  override readonly name = "BaseError";
}

/** The migrations of the branch into which this one will be merged (`--base`). */
export interface Base {
  /** The migrations that the base has. They count as deployed. */
  readonly applied: Applied[];
  /** The migrations after the merge: those of the branch, and those that the base got since the branch began. */
  readonly history: Migration[];
  readonly notes: string[];
}

const run = promisify(execFile);

/**
 * Reads the migrations of a commit, so that the review judges what the branch adds to it, in the state after the merge.
 *
 * @param ref A commit, branch or tag.
 * @param history The branch's own migrations.
 * @throws {@link BaseError} when the commit can't be read from git
 */
export async function readBase(directory: string, ref: string, history: readonly Migration[]): Promise<Base> {
  const root = (await git(directory, ["rev-parse", "--show-toplevel"])).trim();
  // This is the folder's path in the repository, with symbolic links resolved. It is empty for the top folder.
  const folder = (await git(directory, ["rev-parse", "--show-prefix"])).trim().replace(/\/$/, "");
  // Git would take a ref that begins with a dash for an option.
  if (ref.startsWith("-")) throw new BaseError(`--base ${ref} is not a commit, branch or tag.`);
  const commit = (
    await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]).catch(() => "")
  ).trim();
  if (commit === "")
    throw new BaseError(
      `--base ${ref} is not a commit, branch or tag of ${root}; fetch it first (in CI: fetch-depth: 0).`,
    );
  const tip = await scripts(root, commit, folder);
  const fork = (await git(root, ["merge-base", commit, "HEAD"]).catch(() => "")).trim();
  const notes =
    fork === ""
      ? [
          `No common ancestor with ${ref} is known (a shallow clone?): what ${ref} got since the branch began can't be told from what the branch deleted.`,
        ]
      : [];
  const before = fork === "" || fork === commit ? tip : await scripts(root, fork, folder);
  const own = new Map(history.map((migration) => [migration.name, migration]));
  const applied: Applied[] = [];
  const arrived: Migration[] = [];
  for (const [name, blob] of tip) {
    const mine = own.get(name);
    if (mine && blobId(mine.sql, blob.length) === blob) applied.push({ name, checksum: mine.checksum });
    else {
      const sql = await show(root, blob);
      // A file that differs only by CRLF line ends, which a checkout may add, is not changed.
      const same = mine && mine.sql.replaceAll("\r\n", "\n") === sql.replaceAll("\r\n", "\n");
      // If the branch has not changed the file since it began, the merge takes the base's file.
      const theirs =
        mine &&
        before.get(name) !== undefined &&
        before.get(name) !== blob &&
        blobId(mine.sql, blob.length) === before.get(name);
      applied.push({ name, checksum: same || theirs ? mine.checksum : checksumOf(sql) });
      if (!mine && !before.has(name)) arrived.push({ name, sql, checksum: checksumOf(sql) });
    }
  }
  if (arrived.length > 0)
    notes.push(
      `${ref} has ${counted(arrived.length, "migration")} that the branch doesn't have yet (counted as deployed).`,
    );
  const merged = [...history, ...arrived].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return { applied, history: merged, notes };
}

/** Returns the blob id of each migration.sql in a commit, by the migration's name. */
async function scripts(root: string, commit: string, folder: string): Promise<Map<string, string>> {
  const listed = await git(root, ["ls-tree", "-r", "-z", commit, "--", folder === "" ? "." : `${folder}/`]);
  const found = new Map<string, string>();
  for (const line of listed.split("\0")) {
    const match = /^\d+ blob ([0-9a-f]+)\t(.*)$/s.exec(line);
    if (!match) continue;
    const path = match[2]!;
    const parts = (folder === "" ? path : path.slice(folder.length + 1)).split("/");
    if (parts.length === 2 && parts[1] === "migration.sql") found.set(parts[0]!, match[1]!);
  }
  return found;
}

/**
 * Returns git's blob id of a file's content.
 *
 * @param length The length of the repository's ids: 64 for sha-256, 40 for sha-1.
 */
function blobId(sql: string, length: number): string {
  const bytes = Buffer.from(sql);
  return createHash(length === 64 ? "sha256" : "sha1")
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest("hex");
}

function show(root: string, blob: string): Promise<string> {
  return git(root, ["cat-file", "blob", blob]);
}

/**
 * Reads the files of a Prisma schema as a commit has them.
 * @param path the schema's file or folder
 * @returns no files if the commit doesn't have it
 */
export async function readBaseSchema(path: string, ref: string): Promise<PrismaFile[]> {
  const isFile = path.endsWith(".prisma");
  const directory = isFile ? dirname(resolve(path)) : resolve(path);
  const listed = await git(directory, ["ls-tree", "-r", "-z", ref, "--", isFile ? basename(path) : "."]);
  const files = listed.split("\0").flatMap((line) => {
    const [, blob, name] = /^100\d+ blob ([0-9a-f]+)\t(.*\.prisma)$/s.exec(line) ?? [];
    return blob !== undefined && name !== undefined ? { blob, name } : [];
  });
  return Promise.all(files.map(async ({ blob, name }) => ({ path: name, text: await show(directory, blob) })));
}

async function git(cwd: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await run("git", args, { cwd, maxBuffer: 256 * 1024 * 1024, timeout: 60_000 });
    return stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    if (code === "ENOENT") throw new BaseError(`--base needs git, and ${cwd} to be in a checkout.`);
    throw new BaseError(`git ${args[0]} failed in ${cwd}: ${stderr?.trim().split("\n").at(-1) ?? code}`);
  }
}
