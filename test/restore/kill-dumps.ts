import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binariesOf } from "../../embedded/majors";
import { listInstances } from "../../local/cloud/aws/records";
import { connect } from "../../local/cloud/client";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { kubernetesDirectory } from "../../local/cloud/kubernetes/store";
import { clientMajor, DumpPod, KEYS, runDump, TestStore } from "../backup/pod";
import { dumpDatabase } from "../support/dump";
import { randomNumbers } from "../support/random-numbers";
import { startServer } from "../support/server";
import { query, World } from "./world";

/** One round: what ran, what of it was killed, and when. */
export interface KilledDump {
  readonly round: number;
  readonly what: string;
  /** Milliseconds after its start at which it was killed; undefined: it was quicker. */
  readonly after: number | undefined;
}

interface Options {
  readonly rounds: number;
  readonly seed: number;
  onRound?(killed: KilledDump): void;
}

const NOTES = `CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL, parent int REFERENCES note);
  INSERT INTO note SELECT g, (SELECT string_agg(md5(g::text || i::text), '') FROM generate_series(1, 6) i), g FROM generate_series(1, 30000) g;
  CREATE INDEX ON note (body)`;

function requiredMajor(): number {
  const major = clientMajor();
  if (major === undefined) throw new Error("pg_dump is not on PATH, or no server of its version is here.");
  return major;
}

/** Waits until a time has passed, or something has ended; true if the time was first. */
async function isFirst(milliseconds: number, ended: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<boolean>((done) => {
    timer = setTimeout(() => done(true), milliseconds);
  });
  const first = await Promise.race([passed, ended.then(() => false)]);
  clearTimeout(timer);
  return first;
}

/**
 * Kills containers of a dump's pod with SIGKILL at a random instant, runs the dump again, and checks that it is complete,
 * that nothing unfinished is in the store, and that the source's rows are the same.
 *
 * @throws Error at the first round that did not end well, with its seed and instant
 */
export async function killDump({ rounds, seed, onRound }: Options): Promise<KilledDump[]> {
  const random = randomNumbers(seed);
  const server = await startServer({ major: requiredMajor() });
  const store = await new TestStore().start();
  const done: KilledDump[] = [];
  let duration = 4_000;
  try {
    const url = await server.createDatabase();
    await query(url, NOTES);
    const args = ["--to", "s3://backups", "--endpoint", store.endpoint, "--recipient", KEYS[0].recipient];
    const options = { url, environment: store.environment, args };
    const rows = "SELECT count(*)::int AS n, md5(string_agg(id || body, '' ORDER BY id)) AS sum FROM note";
    const before = JSON.stringify(await query(url, rows));
    for (let round = 0; round < rounds; round++) {
      const victims = (["store", "client", "both"] as const)[round % 3]!;
      const instant = Math.floor(random() * duration);
      const where = `round ${round} (seed ${seed}, ${victims} killed after ${instant} ms)`;
      const began = Date.now();
      const pod = new DumpPod({ ...options, silentSeconds: 3 });
      const killed = await isFirst(instant, pod.ended);
      if (killed)
        for (const each of victims === "both" ? (["store", "client"] as const) : [victims]) kill(-pod[each].pid!);
      await pod.ended;
      if (!killed) duration = Math.max(1_000, Date.now() - began);
      const again = await runDump(options);
      const wrong = (what: string) => new Error(`${where}: ${what}`);
      if (again.status !== 0) throw wrong(`the dump did not end well: ${again.log}`);
      const left = store.objects.uploads("backups", "");
      if (left.length > 0) throw wrong(`unfinished: ${JSON.stringify(left)}`);
      const keys = store.objects.keys("backups", "");
      if (keys.length !== 2) throw wrong(`in the store: ${keys.join(", ")}`);
      if (JSON.stringify(await query(url, rows)) !== before) throw wrong("the source has other rows");
      for (const key of keys) store.objects.remove("backups", key);
      const result = { round, what: `dump, ${victims}`, after: killed ? instant : undefined };
      done.push(result);
      onRound?.(result);
    }
  } finally {
    await store.stop();
    await server.stop();
  }
  return done;
}

const STACK = "dumps";
const CLAIM = "notes-backups";
const DUMP = "shop.dumps/notes-3f2a9c41b07e";

/** The processes of this cloud's pods that restore; none of another cloud. */
function restoringProcesses(cloudDir: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const isOwn = /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(cloudDir);
      const line = isOwn ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
      return /restore-dump\.cjs\0restore|pg_restore/.test(line) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** The copies that there must be after a command that ended well. */
function wanted(verb: "restore" | "check", result: { copy?: string }): string[] {
  return verb === "check" ? [] : [result.copy ?? "a copy without a name"];
}

/** Checks what is there after a command that ended well, and removes the copy. */
async function checkRestored(
  copies: readonly string[],
  { world, adminUrl, rows, source }: { world: World; adminUrl: string; rows: string; source: string },
  wrong: (what: string) => Error,
): Promise<void> {
  const found = await query(adminUrl, "SELECT datname::text AS name FROM pg_database WHERE datname LIKE '%restored%'");
  const made = found.map(({ name }): string => name);
  const at = (name: string) => Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  if (JSON.stringify(made) !== JSON.stringify(copies)) throw wrong(`there are ${made.join(", ") || "no copies"}`);
  for (const name of made) if ((await dumpDatabase(at(name))) !== rows) throw wrong("the copy has other rows");
  if ((await dumpDatabase(adminUrl)) !== source) throw wrong("the source was touched");
  if ((await listInstances(world.cloudDir)).length !== 1) throw wrong("there is another server");
  const left = ["Job", "ConfigMap", "Secret"].flatMap((kind) =>
    listObjects(world.cloudDir, { kind, namespace: "default" }).map((each) => `${kind} ${each.metadata.name}`),
  );
  const more = left.filter((each) => !["Secret notes-db-url", "ConfigMap notes-restore-check"].includes(each));
  if (more.length > 0) throw wrong(`left in the cluster: ${more.join(", ")}`);
  for (const name of made) {
    const removed = await world.run("remove", name, "--stack", STACK);
    if (removed.status !== 0) throw wrong(`not removed: ${removed.err}`);
  }
}

/** Starts a command, and kills it, the processes of its pods, or both; false if it was quicker. */
async function killedAfter(
  world: World,
  words: readonly string[],
  { instant, victims }: { instant: number; victims: "command" | "pod" | "both" },
): Promise<boolean> {
  const { child, ended } = await world.start(...words);
  const killed = await isFirst(instant, ended);
  if (killed && victims !== "command") for (const pid of restoringProcesses(world.cloudDir)) kill(pid);
  if (killed && victims !== "pod") kill(-child.pid!);
  await ended;
  return killed;
}

/** Kills a process that may have ended meanwhile. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Kills `restore` and `restore check` of a dump with SIGKILL at a random instant: the command, the containers of its
 * pod, or both. It runs the command again, and checks that there is one copy with the rows of the dump (none after a
 * check), that nothing is left in the cluster or on the server, and that the source's rows are the same.
 *
 * @throws Error at the first round that did not end well, with its seed and instant
 */
export async function killDumpRestore({ rounds, seed, onRound }: Options): Promise<KilledDump[]> {
  const random = randomNumbers(seed);
  const major = requiredMajor();
  process.env["LOCAL_POSTGRES"] = (await binariesOf(major)).directory;
  const recipients = [KEYS[0].recipient];
  const world = new World({
    [STACK]: {
      database: { secret: { name: "notes-db-url" } },
      backup: { mode: "dump", image: `postgres:${major}-alpine`, dump: { claim: CLAIM, recipients } },
    },
  });
  const done: KilledDump[] = [];
  const duration = { restore: 8_000, check: 12_000 };
  try {
    const { adminUrl } = await world.database("instance", "notes-db");
    await query(adminUrl, NOTES);
    const identity = join(world.home, "key");
    writeFileSync(identity, `${KEYS[0].identity}\n`);
    const metadata = { name: CLAIM, namespace: "default" };
    const object = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: {} };
    await (await connect(world.cloudDir)).call("kubernetes.apply", { object });
    const folder = join(kubernetesDirectory(world.cloudDir), "claims/default", CLAIM);
    mkdirSync(folder, { recursive: true });
    const rows = await dumpDatabase(adminUrl);
    const args = ["--claim", CLAIM, "--claim-folder", folder, "--name", DUMP, "--recipient", KEYS[0].recipient];
    const dumped = await runDump({ url: adminUrl, args });
    if (dumped.status !== 0) throw new Error(dumped.log);
    world.release({ backup: { kind: "dump", id: DUMP, location: "pvc://", createdAt: "", completedAt: "" } });
    const source = await dumpDatabase(adminUrl);
    for (let round = 0; round < rounds; round++) {
      const verb = round % 3 === 2 ? "check" : "restore";
      const victims = (["command", "pod", "both"] as const)[Math.floor(random() * 3)]!;
      const words = [...(verb === "check" ? [verb] : []), "--identity", identity, "--stack", STACK];
      const instant = Math.floor(random() * duration[verb]);
      const where = `round ${round} (seed ${seed}, ${verb}, ${victims} killed after ${instant} ms)`;
      const wrong = (what: string) => new Error(`${where}: ${what}`);
      const began = Date.now();
      const killed = await killedAfter(world, words, { instant, victims });
      if (!killed) duration[verb] = Math.max(2_000, Date.now() - began);
      const again = await world.run(...words, "--json");
      if (again.status !== 0) throw wrong(`it did not end well: ${again.out}${again.err}`);
      await checkRestored(wanted(verb, again.result), { world, adminUrl, rows, source }, wrong);
      const result = { round, what: `${verb}, ${victims}`, after: killed ? instant : undefined };
      done.push(result);
      onRound?.(result);
    }
  } finally {
    await world.remove();
  }
  return done;
}
