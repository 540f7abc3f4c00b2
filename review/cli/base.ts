import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { checksumOf, type Migration } from "../../migrations/history/history";
import { counted } from "../../text/counted";
import type { Applied } from "../applied";

/** The base can't be read from git; nothing was reviewed. */
export class BaseError extends Error {
  override readonly name = "BaseError";
}

/** What the branch that is merged into has, as `--base` finds it. */
export interface Base {
  /** What the base has. */
  readonly applied: Applied[];
  /** The folder as it will be when the branch is merged: the branch's migrations, and those the base got meanwhile. */
  readonly history: Migration[];
  readonly notes: string[];
}

const run = promisify(execFile);

/** Reads the migrations of a commit: what a branch adds is judged against it, as it will be after the merge. */
export async function readBase(directory: string, ref: string, history: readonly Migration[]): Promise<Base> {
  const root = (await git(directory, ["rev-parse", "--show-toplevel"])).trim();
  // The folder's place in the repository, also through symbolic links; empty at the top.
  const folder = (await git(directory, ["rev-parse", "--show-prefix"])).trim().replace(/\/$/, "");
  // A ref that begins with a dash would be an option.
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
      // A checkout with CRLF line ends is no change.
      const same = mine && mine.sql.replaceAll("\r\n", "\n") === sql.replaceAll("\r\n", "\n");
      // Not changed here since the branch began, so the merge takes the base's.
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

/** Blob of each migration.sql in a commit, by the migration's name. */
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

/** Git's own name of a file's content. */
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
