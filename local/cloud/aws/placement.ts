import { randomBytes, randomUUID } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { type Account, canEnter } from "../../../embedded/account";
import { exists, removeTree } from "../../../embedded/files";
import { readJson, readText, writeAtomically } from "../../../text/atomic";

/** The directory in which root keeps the files of servers whose user can't enter the state directory. */
const outside = "/var/lib/release-local";

/** Describes the cloud to which a folder below {@link outside} belongs. */
interface Claim {
  /** The directory of the cloud when it last used the folder. */
  cloudDir: string;
  /** The cloud's id, which stays the same if its state directory is moved and another is created in its place. */
  id: string;
  /** A path relative to `cloudDir` that exists only until the instance is complete; it marks half-made instances. */
  draft: string;
}

/**
 * Creates a folder for a server's files that only the server's user can read. It is inside `draft`, a folder of the
 * cloud. If root runs the cloud, the server's user often can't enter that folder (/root is 0700); then a folder under
 * /var/lib is created.
 * @throws Error when the server's user can enter neither
 */
export async function makeDataFolder(cloudDir: string, draft: string, account: Account | undefined): Promise<string> {
  const inside = path.join(draft, "server");
  await fs.mkdir(inside, { mode: 0o700 });
  if (!account) return inside;
  await fs.chown(inside, account.uid, account.gid);
  if (await canEnter(inside, account)) return inside;
  await fs.rmdir(inside);
  const folder = path.join(outside, randomBytes(8).toString("hex"));
  await fs.mkdir(folder, { recursive: true, mode: 0o755 });
  const id = idOf(cloudDir) ?? randomUUID();
  writeAtomically(idFile(cloudDir), id);
  writeClaim(folder, { cloudDir, id, draft: path.relative(cloudDir, draft) });
  const server = path.join(folder, "server");
  await fs.mkdir(server, { mode: 0o700 });
  await fs.chown(server, account.uid, account.gid);
  if (await canEnter(server, account)) return server;
  throw new Error(
    `The database server's user can enter neither ${draft} nor ${outside}; nothing was started. ` +
      "Run the same command as an ordinary user, or make /var/lib passable (chmod o+x).",
  );
}

/** Returns the folders of a cloud under /var/lib. If its directory is gone, these are the ones it used last. */
export async function foldersOutside(cloudDir: string): Promise<string[]> {
  // Only root creates folders there, and no other user may look into them.
  if (process.getuid?.() !== 0) return [];
  const gone = !(await exists(cloudDir));
  const folders = (await fs.readdir(outside).catch(() => [])).map((name) => path.join(outside, name));
  return folders.filter((folder) => {
    const claim = claimOf(folder);
    return claim?.cloudDir === cloudDir && (gone || claim.id === idOf(cloudDir));
  });
}

/**
 * Records the cloud's new directory in the folder's claim, if the folder is under /var/lib and belonged to the cloud
 * before its state directory was moved.
 *
 * @throws Error when the state directory is a copy of the one that uses the folder
 */
export async function takeOver(cloudDir: string, dataDirectory: string): Promise<void> {
  const folder = folderOf(dataDirectory);
  const claim = folder && claimOf(folder);
  if (!claim || claim.cloudDir === cloudDir) return;
  if (claim.id !== idOf(cloudDir) || idOf(claim.cloudDir) === claim.id) {
    throw new Error(
      `${dataDirectory} holds the database of ${claim.cloudDir}, of which this state directory is a copy. ` +
        "Nothing was started or changed. Use that state directory, or another --state-dir with a database of its own.",
    );
  }
  writeClaim(folder, { ...claim, cloudDir });
}

/** Whether this cloud may stop the server; a copy of a state directory must not stop the original's server. */
export function isOwn(cloudDir: string, dataDirectory: string): boolean {
  const folder = folderOf(dataDirectory);
  const claim = folder && claimOf(folder);
  return !claim || claim.cloudDir === cloudDir;
}

/** Removes the folder that {@link makeDataFolder} created for this cloud, if it is outside the cloud's directory. */
export async function removeOutside(cloudDir: string, dataDirectory: string): Promise<void> {
  const folder = folderOf(dataDirectory);
  if (!folder || !(await foldersOutside(cloudDir)).includes(folder)) return;
  // The claim is removed last: if the process is killed before, it still shows to which cloud the rest belongs.
  await removeTree(path.dirname(dataDirectory));
  await removeTree(folder);
}

/** Removes the folders under /var/lib of a cloud whose directory its user has deleted. */
export async function removeDeleted(cloudDir: string): Promise<void> {
  for (const folder of await foldersOutside(cloudDir)) await removeTree(folder);
}

/**
 * Returns the data directories whose creation was interrupted. No other folder is removed without being asked for: if a
 * folder seems to belong to no cloud, its state directory may just have been moved.
 */
export async function halfMade(cloudDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of await foldersOutside(cloudDir)) {
    const draft = claimOf(folder)?.draft;
    if (draft && (await exists(path.join(cloudDir, draft)))) found.push(path.join(folder, "server", "data"));
  }
  return found;
}

/** The folder below {@link outside} that contains the data directory; undefined if it is elsewhere. */
function folderOf(dataDirectory: string): string | undefined {
  const folder = path.dirname(path.dirname(dataDirectory));
  return path.dirname(folder) === outside ? folder : undefined;
}

const idFile = (cloudDir: string) => path.join(cloudDir, "id");

function idOf(cloudDir: string): string | undefined {
  return readText(idFile(cloudDir));
}

function writeClaim(folder: string, claim: Claim): void {
  writeAtomically(path.join(folder, "owner.json"), JSON.stringify(claim));
}

/** The folder's claim; undefined if it can't be read. Such a folder is left alone. */
function claimOf(folder: string): Claim | undefined {
  try {
    return readJson<Claim>(path.join(folder, "owner.json"), ["cloudDir", "id"]);
  } catch {
    return undefined;
  }
}
