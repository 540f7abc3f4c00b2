/**
 * `npm run bench:migrator`: what the migrator costs over piping the same files through one connection of `pg`, its memory with 10 MiB of SQL, and its
 * time from start to first query. With `--prisma` also the Prisma CLI (installed by test/migrator/interchange.test.ts).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { readHistorySync } from "../migrations/history";
import { encodePayload, payloadKey } from "../migrations/payload";
import { bundleMigrator } from "../migrator/bundle";
import { startPostgres } from "../test/support/postgres";

const folder = mkdtempSync(join(tmpdir(), "bench-migrator-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const bundle = join(folder, "migrator.cjs");

function history(name: string, migrations: [string, string][]): string {
  const directory = join(folder, name);
  for (const [migration, sql] of migrations) {
    mkdirSync(join(directory, migration), { recursive: true });
    writeFileSync(join(directory, migration, "migration.sql"), sql);
  }
  writeFileSync(join(directory, "migration_lock.toml"), 'provider = "postgresql"\n');
  return directory;
}

const small = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, index) => {
    const number = String(index).padStart(14, "0");
    const table = `t${index % 50}`;
    const sql =
      index < 50
        ? `-- CreateTable\nCREATE TABLE "${table}" (\n    "id" SERIAL NOT NULL,\n    "name" TEXT NOT NULL,\n\n    CONSTRAINT "${table}_pkey" PRIMARY KEY ("id")\n);\n`
        : `-- AlterTable\nALTER TABLE "${table}" ADD COLUMN "c${index}" TEXT;\n`;
    return [`${number}_m`, sql];
  });

async function pipe(url: string, directory: string): Promise<number> {
  const began = performance.now();
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const { sql } of readHistorySync(directory)) await client.query(sql);
  await client.end();
  return performance.now() - began;
}

/** Milliseconds, and the largest resident set in MiB, of the bundled migrator as a process. */
async function deploy(url: string, args: string[]): Promise<{ time: number; memory: number; firstQuery: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, [bundle, "deploy", ...args], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let memory = 0;
  let firstQuery = 0;
  let output = "";
  child.stdout.on("data", (text) => {
    // The first line is printed after the first query has been answered.
    firstQuery ||= performance.now() - began;
    output += text;
  });
  const watch = setInterval(() => {
    const status = `/proc/${child.pid}/status`;
    if (existsSync(status))
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1] ?? 0) / 1024);
  }, 20);
  const exit = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  if (exit !== 0) throw new Error(`exit ${exit}\n${output.slice(-2000)}`);
  return { time: performance.now() - began, memory, firstQuery };
}

function prisma(url: string, directory: string): number | undefined {
  const home = join(__dirname, "../test/migrator/prisma");
  const cli = join(home, "node_modules/prisma/build/index.js");
  if (!existsSync(cli)) return undefined;
  const began = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [cli, "migrate", "deploy", "--config", join(home, "prisma.config.mjs")],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        DATABASE_URL: url,
        MIGRATIONS: directory,
        CHECKPOINT_DISABLE: "1",
        PRISMA_QUERY_ENGINE_LIBRARY: cli,
        PRISMA_SCHEMA_ENGINE_BINARY: cli,
      },
    },
  );
  return status === 0 ? performance.now() - began : undefined;
}

const ROUNDS = 3;
const middle = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const ms = (value: number) => `${Math.round(value)} ms`;

async function main(): Promise<void> {
  writeFileSync(bundle, bundleMigrator());
  // As in production: each commit reaches the disk.
  const postgres = await startPostgres({ settings: { fsync: "on" } });
  try {
    const thousand = history("thousand", small(1000));
    const [piped, deployed, started]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      piped.push(await pipe(await postgres.createDatabase(), thousand));
      const { time, firstQuery } = await deploy(await postgres.createDatabase(), ["--migrations", thousand]);
      deployed.push(time);
      started.push(firstQuery);
    }
    const ratio = middle(deployed) / middle(piped);
    console.log(
      `1,000 small migrations: pg ${ms(middle(piped))}, migrator ${ms(middle(deployed))}, ratio ${ratio.toFixed(2)} (limit 1.50)`,
    );
    console.log(`start to first query: ${ms(middle(started))} (limit 400 ms)`);
    if (process.argv.includes("--prisma")) {
      const time = prisma(await postgres.createDatabase(), thousand);
      console.log(`Prisma CLI 6.19 (JavaScript engine): ${time === undefined ? "not installed, or failed" : ms(time)}`);
    }
    const row = (index: number) =>
      `INSERT INTO big VALUES (${index}, 'text of about one hundred characters, so that ten mebibytes are a hundred thousand rows');\n`;
    const rows = Math.ceil((10 * 2 ** 20) / row(100_000).length);
    const big = history("big", [
      [
        "1_big",
        `CREATE TABLE big (id int, v text);\n${Array.from({ length: rows }, (_, index) => row(index)).join("")}`,
      ],
    ]);
    const payload = join(folder, "payload");
    mkdirSync(payload);
    for (const [index, piece] of encodePayload(readHistorySync(big)).entries())
      writeFileSync(join(payload, payloadKey(index)), piece);
    const { time, memory } = await deploy(await postgres.createDatabase(), ["--payload", payload]);
    console.log(`10 MiB of SQL (${rows} statements): ${ms(time)}, ${Math.round(memory)} MiB RSS (limit 150 MiB)`);
  } finally {
    await postgres.stop();
  }
}

void main();
