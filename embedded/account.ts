import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The operating-system user of a server; undefined if it can be the user of this process. */
export interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);

/**
 * Returns the user that Postgres runs as. Postgres refuses to run as root, because a server that executes SQL must not
 * control the machine. Root therefore starts its servers as `postgres` or, if there is no such user, as `nobody`.
 * @throws Error when there is no such user
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "_postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // This machine has no such user, so the next one is tried.
    }
  }
  throw new Error(
    "Postgres does not run as root, and this machine has neither a user `postgres` nor `nobody`. " +
      "Nothing was started. Run the same command as an ordinary user.",
  );
}

/** Whether the account can enter this directory. It is tried, because the rights of every parent folder matter. */
export async function canEnter(directory: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true;
  try {
    await run("/bin/sh", ["-c", 'cd -- "$1"', "sh", directory], { ...account, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}
