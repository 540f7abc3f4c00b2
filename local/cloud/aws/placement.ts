import { randomBytes, randomUUID } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { readJson, readText, writeAtomically } from "../atomic";
import { type Account, canEnter } from "./account";
import { exists, removeTree } from "./files";

/** Where root keeps the files of servers whose user can't enter the state directory. */
const outside = "/var/lib/release-local";

/** Whose a folder below {@link outside} is. */
interface Claim {
  /** Where the cloud was when it last used the folder. */
  cloudDir: string;
  /** Of the cloud's own folder, wherever that is now: a state directory may be moved, and another be made in its place. */
  id: string;
  /** Relative to `cloudDir`: there until the instance is made, so that what was left half-made is known. */
  draft: string;
}

/**
 * A new folder for a server's files. It is inside `draft` (a folder of the cloud), except for root: there the server's
 * user often can't enter it (/root is 0700), and then it is a folder of its own under /var/lib. Only the user of the
 * server can read it.
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

/** Folders under /var/lib of one cloud. Where the cloud is gone, they are those that it used last. */
export async function foldersOutside(cloudDir: string): Promise<string[]> {
  // Nobody else puts anything there, or may look into what root put there.
  if (process.getuid?.() !== 0) return [];
  const gone = !(await exists(cloudDir));
  const folders = (await fs.readdir(outside).catch(() => [])).map((name) => path.join(outside, name));
  return folders.filter((folder) => {
    const claim = claimOf(folder);
    return claim?.cloudDir === cloudDir && (gone || claim.id === idOf(cloudDir));
  });
}

/**
 * Makes the folder this cloud's, if it is under /var/lib and was so before the state directory was moved.
 *
 * @throws Error where the state directory is a copy of the one that uses the folder
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

/** Whether this cloud may stop the server: not that of the state directory which it is a copy of. */
export function isOwn(cloudDir: string, dataDirectory: string): boolean {
  const folder = folderOf(dataDirectory);
  const claim = folder && claimOf(folder);
  return !claim || claim.cloudDir === cloudDir;
}

/** Removes the whole place that {@link makeDataFolder} made for this cloud, if it is not inside the cloud's own folder. */
export async function removeOutside(cloudDir: string, dataDirectory: string): Promise<void> {
  const folder = folderOf(dataDirectory);
  if (!folder || !(await foldersOutside(cloudDir)).includes(folder)) return;
  // The claim last: after a kill in between, the rest must still be known as somebody's.
  await removeTree(path.dirname(dataDirectory));
  await removeTree(folder);
}

/** Removes what is left under /var/lib of a cloud whose own folder its user has deleted for good. */
export async function removeDeleted(cloudDir: string): Promise<void> {
  for (const folder of await foldersOutside(cloudDir)) await removeTree(folder);
}

/**
 * Data directories whose making was interrupted. Nothing else is ever removed unasked: the state directory of a folder that
 * seems to be nobody's may only have been moved.
 */
export async function halfMade(cloudDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of await foldersOutside(cloudDir)) {
    const draft = claimOf(folder)?.draft;
    if (draft && (await exists(path.join(cloudDir, draft)))) found.push(path.join(folder, "server", "data"));
  }
  return found;
}

/** The folder below {@link outside} that holds the data directory, if that is where it is. */
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

/** Undefined where nobody can say whose it is: such a folder is left alone. */
function claimOf(folder: string): Claim | undefined {
  try {
    return readJson<Claim>(path.join(folder, "owner.json"), ["cloudDir", "id"]);
  } catch {
    return undefined;
  }
}
