import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { readHistorySync } from "../migrations/history/history";
import { encodePayload, payloadKey } from "../migrations/history/payload";
import { startPostgres } from "../test/support/postgres";
import { PRISMA, prismaMigrate } from "../test/support/prisma";
import { folder, history, measure } from "./deployed";
import { type Figure, median } from "./figure";

const ROUNDS = 7;

/** Migrations as `prisma migrate dev` writes them: 50 create a table, and each further one adds a column. */
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

/**
 * Measures the migrator's time in relation to sending the same files over one connection of `pg`. Both run by turns, so
 * that other load on the machine affects both. Each commit is written to the disk, as in production.
 * @param prisma whether to measure the Prisma CLI too; test/migrator/verbs/interchange.test.ts installs it
 */
export async function benchThousand(prisma: boolean): Promise<Figure[]> {
  const postgres = await startPostgres({ settings: { fsync: "on" } });
  try {
    const thousand = history("thousand", small(1000));
    const [piped, deployed]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      piped.push(await pipe(await postgres.createDatabase(), thousand));
      deployed.push((await measure(await postgres.createDatabase(), "deploy", "--migrations", thousand)).time);
    }
    const ratio = median(deployed.map((time, round) => time / piped[round]!));
    const note = `${Math.round(median(deployed))} ms to ${Math.round(median(piped))} ms, median of ${ROUNDS} pairs`;
    const figures: Figure[] = [
      { name: "1,000 small migrations, to pg alone", value: ratio, unit: "times", limit: 1.5, note },
    ];
    const cli = prisma ? runPrisma(await postgres.createDatabase(), thousand) : undefined;
    if (cli !== undefined)
      figures.push({
        name: "the same with the Prisma CLI 6.19",
        value: cli,
        unit: "ms",
        note: "its JavaScript engine",
      });
    return figures;
  } finally {
    await postgres.stop();
  }
}

/** Measures the time from the start of the process to the answer to its first query. */
export async function benchStart(): Promise<Figure[]> {
  const postgres = await startPostgres();
  try {
    const url = await postgres.createDatabase();
    const one = history("one", small(1));
    const times: number[] = [];
    for (let round = 0; round < 15; round++) times.push((await measure(url, "deploy", "--migrations", one)).firstQuery);
    return [{ name: "start to first query", value: median(times), unit: "ms", limit: 400, note: "median of 15" }];
  } finally {
    await postgres.stop();
  }
}

/** Measures the memory for 10 MiB of SQL in one migration, read from a payload as in the pod. */
export async function benchMemory(): Promise<Figure[]> {
  const row = (index: number) =>
    `INSERT INTO big VALUES (${index}, 'text of about one hundred characters, so that ten mebibytes are a hundred thousand rows');\n`;
  const count = Math.ceil((10 * 2 ** 20) / row(100_000).length);
  const rows = Array.from({ length: count }, (_, index) => row(index)).join("");
  const big = history("big", [["1_big", `CREATE TABLE big (id int, v text);\n${rows}`]]);
  const payload = join(folder, "payload");
  mkdirSync(payload);
  for (const [index, piece] of encodePayload(readHistorySync(big)).entries())
    writeFileSync(join(payload, payloadKey(index)), piece);
  const postgres = await startPostgres();
  try {
    const { time, memory } = await measure(await postgres.createDatabase(), "deploy", "--payload", payload);
    const note = `${count} statements in ${Math.round(time)} ms`;
    return [{ name: "memory (RSS) for 10 MiB of SQL", value: memory, unit: "MiB", limit: 150, note }];
  } finally {
    await postgres.stop();
  }
}

function runPrisma(url: string, directory: string): number {
  const { args, env } = prismaMigrate("deploy", url, directory, folder);
  if (!existsSync(args[0]!)) throw new Error(`The Prisma CLI is not installed: npm ci --ignore-scripts in ${PRISMA}`);
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", env });
  if (status !== 0) throw new Error(`The Prisma CLI ended with ${status}: ${stderr.slice(-500)}`);
  return performance.now() - began;
}
