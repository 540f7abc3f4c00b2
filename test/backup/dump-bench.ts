import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { formatBytes } from "../../text/bytes";
import { startServer } from "../support/server";
import { clientMajor, DumpPod, fileKeyOf, KEYS, NAME, RestorePod, runRestorePod, TestStore } from "./pod";

/**
 * `npm run dump-bench -- [--megabytes 2048] [--age PATH]` dumps a database of that size in three ways, one after the
 * other: `pg_dump | age` by hand, and our chain to a volume and to a bucket. It restores in three ways too: by
 * `age -d | pg_restore`, and by the pod of a restore from the volume and from the bucket. It compares every row, has the
 * pod refuse a wrong key, a flipped bit and a cut file, and prints the rates and the peak memory of each process. It
 * needs pg_dump, pg_restore, psql and age.
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
    tellRates(bytes, measured, hand);
    const wanted = JSON.stringify(await digest(url));
    const identity = join(folder, "key");
    writeFileSync(identity, `${KEY.identity}\n`, { mode: 0o600 });
    const at = (database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href;
    let equal = true;
    const compare = async (way: string, database: string) => {
      const same = JSON.stringify(await digest(at(database))) === wanted;
      console.log(`${way}: ${same ? "every row is equal, byte for byte" : "ROWS DIFFER"}`);
      equal &&= same;
      await execute(url, `DROP DATABASE ${database} WITH (FORCE)`);
    };
    const from = [
      { way: "our restore from the volume", place: toVolume, environment: {}, copy: "bench_volume" },
      { way: "our restore from the bucket", place: toBucket, environment: store.environment, copy: "bench_bucket" },
    ];
    await execute(url, "CREATE DATABASE bench_hand TEMPLATE template0");
    const restores = [
      await restoredByHand(at("bench_hand"), age, { identity, file: join(folder, "by-hand.dump.age") }),
    ];
    tellRates(bytes, restores, restores[0]!);
    await compare(restores[0]!.way, "bench_hand");
    for (const each of from) {
      restores.push(await restoredByPod(url, each));
      tellRates(bytes, restores.slice(-1), restores[0]!);
      await compare(each.way, each.copy);
    }
    const refused = await refusals(url, join(volume, `${NAME}.dump.age`), toVolume);
    const all = [
      { hand: hand, ours: measured.slice(1) },
      { hand: restores[0]!, ours: restores.slice(1) },
    ];
    const fast = all.every(({ hand: own, ours }) => ours.every(({ seconds }) => own.seconds / seconds >= LIMITS.ratio));
    const small = all.every(({ ours }) => ours.every(({ peaks }) => peaks["node"]! <= LIMITS.storeMebibytes));
    const verdict = (right: boolean) => (right ? "yes" : "NO");
    console.log(
      `at least ${LIMITS.ratio} ×: ${verdict(fast)}; at most ${LIMITS.storeMebibytes} MiB: ${verdict(small)}; damaged dumps and a wrong key refused: ${verdict(refused)}`,
    );
    return equal && fast && small && refused;
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

/** Prints a line for each way: its time and rate, also in comparison with the way by hand, and its processes. */
function tellRates(bytes: number, ways: readonly Measured[], hand: Measured): void {
  for (const { way, seconds, fileBytes, peaks, busy } of ways) {
    const rate = bytes / 1024 / 1024 / seconds;
    const memory = Object.entries(peaks).map(
      ([name, most]) => `${name} ${most.toFixed(0)} MiB, ${busy[name]!.toFixed(1)} s busy`,
    );
    const file = fileBytes > 0 ? `, file ${formatBytes(fileBytes)}` : "";
    console.log(
      `${way}: ${seconds.toFixed(1)} s, ${rate.toFixed(1)} MiB/s, ${(hand.seconds / seconds).toFixed(2)} ×${file}; peak memory: ${memory.join("; ")}`,
    );
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function restoredByHand(
  url: string,
  age: string,
  { identity, file }: { identity: string; file: string },
): Promise<Measured> {
  const script = `"$AGE" -d -i "$KEY" "$FILE" | pg_restore --exit-on-error --dbname "$BENCH_URL"`;
  const env = { ...process.env, BENCH_URL: url, AGE: age, KEY: identity, FILE: file };
  const child = spawn("sh", ["-c", script], { env, stdio: "inherit", detached: true });
  const { seconds, peaks, busy } = await timed([child], new Promise((ended) => child.once("close", ended)));
  return { way: "age -d | pg_restore by hand", seconds, fileBytes: 0, peaks, busy };
}

/** The words of a restore's pod for a place, and the key of the file, as the command `restore` finds it. */
async function podOf(url: string, place: readonly string[], environment: Readonly<Record<string, string>>) {
  const args = [...place, "--dump", NAME];
  const seen = await runRestorePod({ url, environment, args, verb: "look" });
  if (seen.status !== 0) throw new Error(seen.log);
  const { header } = JSON.parse(seen.event("restore.look").look) as { header: string };
  return { args, fileKey: await fileKeyOf(header, KEY.identity) };
}

async function restoredByPod(
  url: string,
  {
    way,
    place,
    environment,
    copy,
  }: { way: string; place: readonly string[]; environment: Readonly<Record<string, string>>; copy: string },
): Promise<Measured> {
  const { args, fileKey } = await podOf(url, place, environment);
  const pod = new RestorePod({ url, environment, fileKey, args: [...args, "--copy", copy] });
  const { seconds, peaks, busy, result } = await timed([pod.store, pod.client!], pod.ended);
  if (result !== 0) throw new Error(pod.log);
  return { way, seconds, fileBytes: 0, peaks, busy };
}

/** Has the pod restore with another key, with a flipped bit in the middle, and of a cut file; true if it refuses each. */
async function refusals(url: string, file: string, place: readonly string[]): Promise<boolean> {
  const { args, fileKey } = await podOf(url, place, {});
  const size = statSync(file).size;
  const middle = Math.floor(size / 2);
  const flip = () => {
    const handle = openSync(file, "r+");
    const byte = Buffer.alloc(1);
    readSync(handle, byte, 0, 1, middle);
    writeSync(handle, Buffer.from([byte[0]! ^ 1]), 0, 1, middle);
    closeSync(handle);
  };
  const cases: [name: string, key: Uint8Array, damage: () => void, repair: () => void][] = [
    ["a wrong key", Buffer.alloc(16, 7), () => undefined, () => undefined],
    ["a flipped bit", fileKey, flip, flip],
    ["a cut file", fileKey, () => truncateSync(file, size - 4096), () => undefined],
  ];
  let right = true;
  for (const [name, key, damage, repair] of cases) {
    damage();
    const pod = await runRestorePod({ url, fileKey: key, args: [...args, "--copy", "bench_damaged"] });
    repair();
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("SELECT FROM pg_database WHERE datname = 'bench_damaged'");
    await client.end();
    const code = pod.event("failed")?.code as string | undefined;
    console.log(
      `${name}: ${code ?? "NOT REFUSED"}; ${rows.length === 0 ? "no database is left" : "A DATABASE IS LEFT"}`,
    );
    right &&= code === "dump-damaged" && rows.length === 0;
  }
  return right;
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
