import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverAccount } from "../../embedded/account";
import { randomNumbers } from "../support/random-numbers";
import { Cli, processesOf, type Ran } from "./cli";
import { check } from "./kill-up";

const MEBIBYTE = 1024 * 1024;
/** Holds the database and the snapshots of some releases. */
const DISK_MEBIBYTES = 1_024;
/** What a first release needs, and what a later one needs (its snapshot), with some room: both ends are tried. */
const MOST_FREE = { first: 160, later: 110 };

export interface Filled {
  round: number;
  fresh: boolean;
  freeMebibytes: number;
  /** Exit status of `up` on the full disk. */
  status: number | null;
  /** What it said, where it failed. */
  message: string;
}

export interface FullDiskOptions {
  rounds: number;
  seed: number;
  /** A new stack, with its first release, every so many rounds. */
  freshEvery: number;
  onRound?(filled: Filled): void;
}

/** Only root can mount, and not in every container. */
export function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    new Disk().remove();
    return true;
  } catch {
    return false;
  }
}

/**
 * Releases on a disk that has a random number of bytes left: a real file system (tmpfs), filled by a file. Whatever `up`
 * comes to, `status` and `down` must work while the disk is still full, and once there is space the next `up` must
 * complete the release, each migration applied once.
 *
 * @throws Error at the first round where one of them did not, with its seed and size
 */
export async function fullDisk({ rounds, seed, freshEvery, onRound }: FullDiskOptions): Promise<Filled[]> {
  const random = randomNumbers(seed);
  const done: Filled[] = [];
  const account = await serverAccount();
  if (!account) throw new Error("a disk can be mounted by root only");
  const disk = new Disk();
  let cli: Cli | undefined;
  try {
    for (let round = 0; round < rounds; round++) {
      const fresh = round % freshEvery === 0;
      if (fresh) {
        await cli?.run("down");
        await cli?.end();
        disk.clear();
        chownSync(disk.folder, account.uid, account.gid);
        // Not as root: root's servers keep their files elsewhere.
        cli = new Cli(1, { stateDir: join(disk.folder, "state"), ...account });
      }
      const stack = cli!;
      const migration = `2027${String(round).padStart(4, "0")}000000_round`;
      const sql = `CREATE TABLE round_${round} (id int);\nINSERT INTO round_${round} VALUES (${round});\n`;
      stack.addMigration(migration, sql);
      stack.set("app.image", `notes:1.${round}.0`);

      const freeMebibytes = Math.floor(random() * 10 * MOST_FREE[fresh ? "first" : "later"]) / 10;
      const where = `round ${round} (seed ${seed}, ${freeMebibytes} MiB free${fresh ? ", first release" : ""})`;
      disk.leave(freeMebibytes);
      const up = await stack.run("up", "--json");
      if (up.status !== 0 && up.status !== 1) throw new Error(`${where}: up ended with ${up.status}: ${said(up)}`);
      expectWords(up, `${where}: up`);
      for (const verb of ["status", "down", "status"]) {
        const ran = await stack.run(verb);
        expectWords(ran, `${where}: ${verb}`);
        if (ran.status !== 0) throw new Error(`${where}: ${verb} ended with ${ran.status}: ${said(ran)}`);
      }
      const left = processesOf(stack.stateDir);
      if (left.length > 0) throw new Error(`${where}: left behind after down: ${left.join("\n")}`);

      disk.empty();
      const again = await stack.run("up", "--json");
      if (again.status !== 0) throw new Error(`${where}: up did not converge: ${said(again)}`);
      await check(stack, round, migration, where);
      const message = up.status === 0 ? "" : errorOf(up);
      const filled = { round, fresh, freeMebibytes, status: up.status, message };
      done.push(filled);
      onRound?.(filled);
    }
    await cli?.run("down");
  } finally {
    await cli?.end();
    disk.remove();
  }
  return done;
}

/** A file system of its own, that can be full without anything else being so. */
class Disk {
  readonly folder = mkdtempSync(join(tmpdir(), "release-disk-"));
  private readonly filler = join(this.folder, "filler");

  constructor() {
    try {
      const options = `size=${DISK_MEBIBYTES}m,mode=755`;
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", this.folder], { stdio: "pipe" });
    } catch (error) {
      rmSync(this.folder, { recursive: true });
      throw error;
    }
  }

  leave(mebibytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    const bytes = Math.max(0, Math.floor(bavail * bsize - mebibytes * MEBIBYTE));
    execFileSync("fallocate", ["-l", String(Math.max(1, bytes)), this.filler], { stdio: "pipe" });
  }

  empty(): void {
    rmSync(this.filler, { force: true });
  }

  clear(): void {
    this.empty();
    rmSync(join(this.folder, "state"), { recursive: true, force: true });
  }

  remove(): void {
    execFileSync("umount", ["--lazy", this.folder], { stdio: "pipe" });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function said(ran: Ran): string {
  return `${ran.stdout.slice(-2_000)}${ran.stderr}`;
}

function errorOf(ran: Ran): string {
  const failed = ran.steps.find(({ status }) => status === "failed");
  const text = failed?.error ?? ran.events.find(({ kind }) => kind === "error")?.message ?? ran.stdout.slice(-300);
  return `${failed ? `${failed.name}: ` : ""}${text}`.split("\n")[0]!.slice(0, 160);
}

function expectWords(ran: Ran, where: string): void {
  if (/^ {4}at |\[object Object\]|Promise \{/m.test(ran.stdout + ran.stderr)) throw new Error(`${where}: ${said(ran)}`);
}

/** `npm run full-disk -- ROUNDS [SEED]`, as root. */
async function main([rounds = "40", seed = String(Date.now() % 1_000_000)]: string[]): Promise<void> {
  console.log(`seed ${seed}`);
  const began = Date.now();
  const onRound = ({ round, fresh, freeMebibytes, status, message }: Filled) =>
    console.log(
      `${String(round + 1).padStart(3)}  ${fresh ? "first release" : "release      "}  ${String(freeMebibytes).padStart(6)} MiB free: ` +
        `${status === 0 ? "complete" : `failed (${message})`}; status and down worked, the next up completed it`,
    );
  const done = await fullDisk({ rounds: Number(rounds), seed: Number(seed), freshEvery: 5, onRound });
  const failed = done.filter(({ status }) => status !== 0).length;
  console.log(
    `${done.length} rounds, ${failed} of them failed at first, in ${Math.round((Date.now() - began) / 1000)} s`,
  );
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
