import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { readJson, writeAtomically } from "../atomic";
import { type Account, canEnter } from "./account";
import { exists, removeTree } from "./files";
import { killServer } from "./postgres";

/** Where root keeps the files of servers whose user can't enter the state directory. */
const outside = "/var/lib/release-local";

interface Owner {
  cloudDir: string;
  /** Of the file system that holds it. */
  device: number;
}

/**
 * A new folder for a server's files. It is inside `parent` (a folder of the cloud), except for root: there the server's
 * user often can't enter it (/root is 0700), and then it is a folder of its own under /var/lib. Only the user of the
 * server can read it.
 */
export async function makeDataFolder(cloudDir: string, parent: string, account: Account | undefined): Promise<string> {
  const inside = path.join(parent, "server");
  await fs.mkdir(inside, { mode: 0o700 });
  if (!account) return inside;
  await fs.chown(inside, account.uid, account.gid);
  if (await canEnter(inside, account)) return inside;
  await fs.rmdir(inside);
  await removeAbandoned();
  const folder = path.join(outside, randomBytes(8).toString("hex"));
  await fs.mkdir(folder, { recursive: true, mode: 0o755 });
  // Written first: a folder without an owner could never be told from one that is in use.
  const owner: Owner = { cloudDir, device: (await fs.stat(cloudDir)).dev };
  writeAtomically(path.join(folder, "owner.json"), JSON.stringify(owner));
  const server = path.join(folder, "server");
  await fs.mkdir(server, { mode: 0o700 });
  await fs.chown(server, account.uid, account.gid);
  if (await canEnter(server, account)) return server;
  throw new Error(
    `The database server's user can enter neither ${parent} nor ${outside}; nothing was started. ` +
      "Run the same command as an ordinary user, or make /var/lib passable (chmod o+x).",
  );
}

/** Folders under /var/lib of one cloud. */
export async function foldersOutside(cloudDir: string): Promise<string[]> {
  return (await listOutside()).filter((entry) => entry.cloudDir === cloudDir).map((entry) => entry.folder);
}

/** Removes the whole place that {@link makeDataFolder} made, if it is not inside the cloud's own folder. */
export async function removeOutside(dataDirectory: string): Promise<void> {
  const server = path.dirname(dataDirectory);
  const folder = path.dirname(server);
  if (path.dirname(folder) !== outside) return;
  // The owner last: after a kill in between, the rest must still be known as somebody's.
  await removeTree(server);
  await removeTree(folder);
}

/** What state directories left behind that were deleted, not merely unmounted, without `down`. */
export async function removeAbandoned(): Promise<void> {
  for (const { folder, cloudDir, device } of await listOutside()) {
    if (cloudDir !== undefined && !(await isDeleted(cloudDir, device))) continue;
    const data = path.join(folder, "server", "data");
    await killServer(data);
    await removeOutside(data);
  }
}

/** It is gone, and the file system that held it is still where it was. */
async function isDeleted(directory: string, device: number | undefined): Promise<boolean> {
  if (await exists(directory)) return false;
  for (let above = path.dirname(directory); ; above = path.dirname(above)) {
    if (await exists(above)) return (await fs.stat(above)).dev === device;
  }
}

/** Without an owner: its maker was killed before it could write down whose it is. */
async function listOutside(): Promise<({ folder: string } & Partial<Owner>)[]> {
  // Nobody else puts anything there, or may look into what root put there.
  if (process.getuid?.() !== 0) return [];
  const found: ({ folder: string } & Partial<Owner>)[] = [];
  for (const name of await fs.readdir(outside).catch(() => [])) {
    const folder = path.join(outside, name);
    const owner = readJson<Owner>(path.join(folder, "owner.json"));
    const age = Date.now() - ((await fs.stat(folder).catch(() => undefined))?.mtimeMs ?? Date.now());
    // A young folder may still be about to get its owner.
    if (owner || age > 60_000) found.push({ folder, ...owner });
  }
  return found;
}
