import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { tryLock } from "../../local/cloud/process-lock";

/** The Prisma CLI: a package of its own, so that who only wants a release doesn't wait for it. */
export const PRISMA = resolve(__dirname, "../migrator/prisma");

/** npm writes it last. */
const COMPLETE = join(PRISMA, "node_modules/.package-lock.json");
const LIMIT_MS = 220_000;

/** Installs it once a checkout; test files that run beside each other wait for the one that does. */
export async function installPrisma(): Promise<void> {
  const name = `prisma-${createHash("sha256").update(PRISMA).digest("hex").slice(0, 12)}`;
  const until = Date.now() + LIMIT_MS;
  while (!existsSync(COMPLETE)) {
    const lock = tryLock(tmpdir(), name, "npm ci");
    try {
      if (lock && !existsSync(COMPLETE)) {
        await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: PRISMA });
      } else if (Date.now() > until) throw new Error(`another test has been installing ${PRISMA} for too long`);
      else await new Promise((passed) => setTimeout(passed, 100));
    } finally {
      lock?.release();
    }
  }
}
