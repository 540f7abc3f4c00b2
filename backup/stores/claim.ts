import { createHash } from "node:crypto";
import { createReadStream, promises as fs } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../migrator/failures/failure";
import { StoredDifferently, StoreFailed, StoreFull, StoreMissing, StoreRefused } from "../failures/store";
import type { Store } from "./store";

/** The ending of a file that is not finished. */
const UNFINISHED = ".unfinished";

type Kind = new (title: string, reason: string, cause?: unknown) => Failure;

/** The failures by the codes of system errors. */
const KINDS: Readonly<Record<string, Kind>> = {
  ENOSPC: StoreFull,
  EDQUOT: StoreFull,
  EFBIG: StoreFull,
  EACCES: StoreRefused,
  EPERM: StoreRefused,
  EROFS: StoreRefused,
  ENOENT: StoreMissing,
};

/**
 * Opens a folder of a volume.
 *
 * @param folder the folder at which the PersistentVolumeClaim is mounted
 * @param claim the claim's name, for messages
 */
export function claimStore(folder: string, claim: string): Store {
  const title = `the volume ${claim}`;
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Failure) throw error;
      const { code = "", message } = error as NodeJS.ErrnoException;
      throw new (KINDS[code] ?? StoreFailed)(title, message.replaceAll(folder, ""), error);
    }
  };
  const unlessMissing = <T>(work: () => Promise<T>) =>
    asked(() =>
      work().catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      }),
    );
  const path = (file: string) => join(folder, file);
  const location = (file: string) => `pvc://${claim}/${file}`;
  return {
    title,
    location,
    read: (file) => unlessMissing(() => fs.readFile(path(file), "utf8")),
    write: (file, text) => asked(() => writeWhole(path(file), text)),
    size: (file) => unlessMissing(async () => (await fs.stat(path(file))).size),
    stream: (file) =>
      asked(async () => {
        // A missing file is an error now, and not only when it is read.
        await fs.access(path(file));
        return createReadStream(path(file));
      }),
    list: (inner) =>
      asked(async () => {
        const names = (await unlessMissing(() => fs.readdir(path(inner)))) ?? [];
        return names.filter((name) => !name.endsWith(UNFINISHED));
      }),
    remove: (file) => asked(() => fs.rm(path(file), { force: true })),
    removeUnfinished: (inner) =>
      asked(async () => {
        const names = (await unlessMissing(() => fs.readdir(path(inner)))) ?? [];
        const left = names.filter((name) => name.endsWith(UNFINISHED));
        for (const name of left) await fs.rm(join(path(inner), name), { force: true });
        return left.length;
      }),
    begin: (file) =>
      asked(async () => {
        const target = path(file);
        const unfinished = `${target}${UNFINISHED}`;
        await fs.mkdir(dirname(target), { recursive: true });
        const handle = await fs.open(unfinished, "w", 0o600);
        let renamed = false;
        return {
          write: (piece) => asked(async () => handle.appendFile(piece)),
          finish: (checksum) =>
            asked(async () => {
              await handle.sync();
              await handle.close();
              const read = createHash("sha256");
              for await (const piece of createReadStream(unfinished)) read.update(piece as Buffer);
              if (!read.digest().equals(checksum))
                throw new StoredDifferently(location(file), "its sha-256 is another one");
              await fs.rename(unfinished, target);
              renamed = true;
              await syncFolder(dirname(target));
            }),
          abort: async () => {
            await handle.close().catch(() => undefined);
            await fs.rm(renamed ? target : unfinished, { force: true }).catch(() => undefined);
          },
        };
      }),
  };
}

async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  const handle = await fs.open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.rename(unfinished, path);
  await syncFolder(dirname(path));
}

/** Makes a renaming survive a crash of the node. */
async function syncFolder(path: string): Promise<void> {
  const handle = await fs.open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
