import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The operating-system user a server runs as; undefined where it can be the user of this process. */
export interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);

/**
 * Postgres refuses to run as root (a server that executes SQL must not own the machine), so root hands its servers to
 * `postgres`, or, where there is no such user, to `nobody`.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "_postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user on this machine: the next one.
    }
  }
  throw new Error(
    "Postgres does not run as root, and this machine has neither a user `postgres` nor `nobody`. " +
      "Nothing was started. Run the same command as an ordinary user.",
  );
}

/** Whether the account can enter this directory: every folder above it counts, which is why it is tried, not computed. */
export async function canEnter(directory: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true;
  try {
    await run("/bin/sh", ["-c", 'cd -- "$1"', "sh", directory], { ...account, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}
