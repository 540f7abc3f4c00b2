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

/** The Prisma CLI on a folder of migrations, for Node.js: arguments and environment; see prisma.config.mjs. `home` is a folder to write in. */
export function prismaMigrate(verb: "status" | "deploy", url: string, migrations: string, home: string) {
  const cli = join(PRISMA, "node_modules/prisma/build/index.js");
  return {
    args: [cli, "migrate", verb, "--config", join(PRISMA, "prisma.config.mjs")],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      DATABASE_URL: url,
      MIGRATIONS: migrations,
      CHECKPOINT_DISABLE: "1",
      // Any file that exists keeps it from downloading its native engines.
      PRISMA_QUERY_ENGINE_LIBRARY: cli,
      PRISMA_SCHEMA_ENGINE_BINARY: cli,
    },
  };
}
