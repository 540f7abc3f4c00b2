import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { readDump } from "../../backup/read-dump";
import { claimStore } from "../../backup/stores/claim";
import { s3Store } from "../../backup/stores/s3";
import type { Store } from "../../backup/stores/store";
import { formatBytes } from "../../text/bytes";
import { startServer, type TestServer } from "../support/server";
import { clientMajor, DumpPod, KEYS, NAME, TestStore } from "./pod";

/**
 * `npm run dump-bench -- [--megabytes 2048] [--age PATH]` dumps a database of that size in three ways, one after the
 * other: `pg_dump | age` by hand, and our chain to a volume and to a bucket. It restores what our chain stored, compares
 * every row, and prints the rates and the peak memory of each process. It needs pg_dump, pg_restore and age.
 */
interface Measured {
  readonly way: string;
  readonly seconds: number;
  readonly fileBytes: number;
  /** The peak resident memory of each process in MiB, by the name of its program. */
  readonly peaks: Readonly<Record<string, number>>;
  /** The time of a processor that each took, in seconds. */
  readonly busy: Readonly<Record<string, number>>;
}

/** The least rate in comparison with the pipe by hand, and the most memory of the storing program in MiB. */
const LIMITS = { ratio: 0.8, storeMebibytes: 128 };
const [KEY] = KEYS;

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: { megabytes: { type: "string" }, age: { type: "string" } } });
  const megabytes = Number(values.megabytes ?? 2048);
  const age = values.age ?? "age";
  const major = clientMajor();
  if (major === undefined) throw new Error("pg_dump is not on PATH, so nothing can be measured.");
  execFileSync(age, ["--version"]);
  const folder = mkdtempSync(join(tmpdir(), "dump-bench-"));
  const server = await startServer({ major, settings: { shared_buffers: "256MB", max_wal_size: "4GB" } });
  const store = await new TestStore().start();
  try {
    const url = await server.createDatabase();
    const bytes = await fill(url, megabytes);
    console.log(`A database of ${formatBytes(bytes)}, Postgres ${major}.`);
    const volume = join(folder, "volume");
    execFileSync("mkdir", [volume]);
    const toVolume = ["--claim", "bench", "--claim-folder", volume];
    const toBucket = ["--to", "s3://backups", "--endpoint", store.endpoint];
    const measured = [
      await byHand(url, age, join(folder, "by-hand.dump.age")),
      await byChain("our chain to a volume", url, toVolume, {}),
      await byChain("our chain to a bucket", url, toBucket, store.environment),
    ];
    const [hand] = measured as [Measured];
    for (const { way, seconds, fileBytes, peaks, busy } of measured) {
      const rate = bytes / 1024 / 1024 / seconds;
      const memory = Object.entries(peaks).map(
        ([name, most]) => `${name} ${most.toFixed(0)} MiB, ${busy[name]!.toFixed(1)} s busy`,
      );
      console.log(
        `${way}: ${seconds.toFixed(1)} s, ${rate.toFixed(1)} MiB/s, ${(hand.seconds / seconds).toFixed(2)} ×, file ${formatBytes(fileBytes)}; peak memory: ${memory.join("; ")}`,
      );
    }
    Object.assign(process.env, store.environment);
    const stores: [string, Store][] = [
      ["volume", claimStore(volume, "bench")],
      ["bucket", s3Store({ bucket: "backups", prefix: "", endpoint: store.endpoint, region: "us-east-1" })],
    ];
    const wanted = await digest(url);
    let equal = true;
    for (const [name, from] of stores) {
      const found = await restored(server, from);
      const same = JSON.stringify(found) === JSON.stringify(wanted);
      console.log(`restored from the ${name}: ${same ? "every row is equal, byte for byte" : "ROWS DIFFER"}`);
      equal &&= same;
    }
    const chains = measured.slice(1);
    const fast = chains.every(({ seconds }) => hand.seconds / seconds >= LIMITS.ratio);
    const small = chains.every(({ peaks }) => peaks["node"]! <= LIMITS.storeMebibytes);
    const verdict = (right: boolean) => (right ? "yes" : "NO");
    console.log(
      `at least ${LIMITS.ratio} ×: ${verdict(fast)}; at most ${LIMITS.storeMebibytes} MiB: ${verdict(small)}`,
    );
    return equal && fast && small;
  } finally {
    await store.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Fills tables of different kinds until the database has about the size. */
async function fill(url: string, megabytes: number): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE TABLE note (id bigint PRIMARY KEY, title text NOT NULL, body text NOT NULL, at timestamptz NOT NULL);
      CREATE TABLE event (id bigint PRIMARY KEY, data jsonb NOT NULL, amount numeric(12, 2));
      CREATE TABLE attachment (id bigint PRIMARY KEY, content bytea NOT NULL)`);
    const size = "SELECT pg_database_size(current_database())::float8 AS bytes";
    for (let round = 0; ; round++) {
      const bytes = (await client.query(size)).rows[0].bytes as number;
      if (bytes >= megabytes * 1024 * 1024) {
        await client.query("ANALYZE");
        return bytes;
      }
      const ids = `generate_series(${round * 20_000 + 1}, ${(round + 1) * 20_000}) g`;
      await client.query(`INSERT INTO note SELECT g, 'Note ' || g, repeat('The text of note ' || g || ' goes on. ', 8) || md5(g::text),
          timestamptz '2026-01-01' + g * interval '1 second' FROM ${ids};
        INSERT INTO event SELECT g, jsonb_build_object('id', g, 'kind', 'created', 'hash', md5(g::text), 'tags', jsonb_build_array(g % 7, g % 11)),
          g / 100.0 FROM ${ids};
        INSERT INTO attachment SELECT g, decode(md5(g::text) || md5((-g)::text) || md5((g * 7)::text) || md5((g * 13)::text), 'hex') FROM ${ids}`);
    }
  } finally {
    await client.end();
  }
}

async function byHand(url: string, age: string, file: string): Promise<Measured> {
  const script = `pg_dump --format=custom "$BENCH_URL" | "$AGE" -r ${KEY.recipient} >"$FILE"`;
  const env = { ...process.env, BENCH_URL: url, AGE: age, FILE: file };
  const child = spawn("sh", ["-c", script], { env, stdio: "inherit", detached: true });
  const { seconds, peaks, busy } = await timed([child], new Promise((ended) => child.once("close", ended)));
  return { way: "pg_dump | age by hand", seconds, fileBytes: statSync(file).size, peaks, busy };
}

async function byChain(
  way: string,
  url: string,
  place: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Measured> {
  const pod = new DumpPod({ url, environment, args: [...place, "--recipient", KEY.recipient] });
  const { seconds, peaks, busy, result } = await timed([pod.store, pod.client], pod.ended);
  if (result !== 0) throw new Error(pod.log);
  const [, size = "0"] = /Stored \S+: (.*?) in /.exec(pod.log) ?? [];
  const bytes = /(\d+(?:\.\d+)?) (\w+)/.exec(size);
  const unit = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }[bytes?.[2] ?? ""] ?? 1;
  return { way, seconds, fileBytes: Number(bytes?.[1] ?? 0) * unit, peaks, busy };
}

/** Measures the time until the end, and meanwhile the peak memory of every process of these groups. */
async function timed<T>(
  leaders: readonly ChildProcess[],
  ended: Promise<T>,
): Promise<{ seconds: number; peaks: Record<string, number>; busy: Record<string, number>; result: T }> {
  const began = performance.now();
  const peaks: Record<string, number> = {};
  const busy: Record<string, number> = {};
  const groups = new Set(leaders.map(({ pid }) => String(pid)));
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
        if (!groups.has(rest.split(" ")[2] ?? "")) continue;
        // The fields of user and system time, in hundredths of a second (proc(5), of which two fields are cut off here).
        const fields = rest.split(" ");
        busy[name] = Math.max(busy[name] ?? 0, (Number(fields[11]) + Number(fields[12])) / 100);
        const [, kilobytes = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
        peaks[name] = Math.max(peaks[name] ?? 0, Number(kilobytes) / 1024);
      } catch {
        // The process has ended.
      }
    }
  };
  const watch = setInterval(look, 200);
  const result = await ended;
  clearInterval(watch);
  return { seconds: (performance.now() - began) / 1000, peaks, busy, result };
}

/** The sha-256 of all rows of each table in the order of their keys, as COPY writes them. */
async function digest(url: string): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const table of ["attachment", "event", "note"]) {
    const child = spawn("psql", [url, "-qAtc", `COPY (SELECT * FROM ${table} ORDER BY id) TO STDOUT`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const hash = createHash("sha256");
    for await (const piece of child.stdout) hash.update(piece as Buffer);
    sums[table] = hash.digest("hex");
  }
  return sums;
}

async function restored(server: TestServer, store: Store): Promise<Record<string, string>> {
  const url = await server.createDatabase();
  const { archive } = await readDump(store, NAME, [KEY.identity]);
  const child = spawn("pg_restore", ["--exit-on-error", "--dbname", url], { stdio: ["pipe", "inherit", "inherit"] });
  const ended = new Promise<number | null>((closed) => child.once("close", closed));
  await pipeline(Readable.from(archive), child.stdin);
  if ((await ended) !== 0) throw new Error("pg_restore failed.");
  return digest(url);
}

void main().then(
  (right) => {
    process.exitCode = right ? 0 : 1;
  },
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  },
);
