import { parseArgs } from "node:util";
import { listCreations } from "../../local/cloud/aws/api/creation";
import { listInstances } from "../../local/cloud/aws/records";
import { dumpDatabase } from "../support/dump";
import { randomNumbers } from "../support/random-numbers";
import { type KilledDump, killDump, killDumpRestore } from "./kill-dumps";
import { query, type Ran, World } from "./world";

/** One round: what was restored, and when the restore was killed. */
export interface Killed {
  readonly round: number;
  readonly what: "instance" | "moment" | "cluster";
  /** Milliseconds after its start at which `restore` was killed; undefined: it was quicker. */
  readonly after: number | undefined;
}

export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  onRound?(killed: Killed): void;
}

const WHAT = ["instance", "moment", "cluster"] as const;
const STACKS = {
  prod: { database: { kind: "instance", identifier: "notes-db", secret: { name: "notes-db-url" } } },
  aurora: { database: { kind: "cluster", identifier: "shop", secret: { name: "shop-url" } } },
};

/**
 * Kills `restore` with SIGKILL at a random instant, runs it again, and checks that there is one copy, that it has the
 * rows of its backup, that no Job is left, and that the sources were never touched.
 *
 * @throws Error at the first round that did not end well, with its seed and instant
 */
export async function killRestore({ rounds, seed, onRound }: KillOptions): Promise<Killed[]> {
  const random = randomNumbers(seed);
  const world = new World(STACKS);
  const done: Killed[] = [];
  // The milliseconds that an undisturbed restore takes. Each round that was not killed measures them again.
  const duration = { instance: 6_000, moment: 7_000, cluster: 7_000 };
  try {
    const notes = (await world.database("instance", "notes-db", true)).adminUrl;
    const shop = (await world.database("cluster", "shop")).adminUrl;
    for (const url of [notes, shop]) await query(url, "CREATE TABLE rounds (id int PRIMARY KEY, at timestamptz)");
    for (let round = 0; round < rounds; round++) {
      const what = WHAT[round % WHAT.length]!;
      const url = what === "cluster" ? shop : notes;
      await query(url, `INSERT INTO rounds VALUES (${round}, clock_timestamp())`);
      const dump = await dumpDatabase(url);
      const kind = what === "cluster" ? "cluster" : "instance";
      const words = [
        "--to",
        await backup(world, { what, round, url }),
        "--stack",
        kind === "cluster" ? "aurora" : "prod",
      ];
      await query(url, `INSERT INTO rounds VALUES (${-1 - round}, clock_timestamp())`);
      const instant = Math.floor(random() * duration[what]);
      const where = `round ${round} (seed ${seed}, ${what}, killed after ${instant} ms)`;

      const began = Date.now();
      const killed = await killAfter(world, words, instant);
      if (!killed) duration[what] = Math.max(1_500, Date.now() - began);
      const again = await world.run(...words, "--json");
      await check(world, again, { kind, dump, where });

      const result = { round, what, after: killed ? instant : undefined };
      done.push(result);
      onRound?.(result);
      const removed = await world.run("remove", again.result.copy, ...words.slice(2));
      if (removed.status !== 0) throw new Error(`${where}: not removed: ${removed.err}`);
    }
  } finally {
    await world.remove();
  }
  return done;
}

/** Makes what a round restores, and returns its name: a snapshot, or a moment that is past. */
async function backup(
  world: World,
  { what, round, url }: { what: Killed["what"]; round: number; url: string },
): Promise<string> {
  if (what !== "moment") {
    const name = `round-${round}`;
    await world.snapshot(what, what === "instance" ? "notes-db" : "shop", name);
    return name;
  }
  const [{ at }] = await query(url, "SELECT clock_timestamp() AS at");
  const moment = Math.ceil((at.getTime() + 1) / 1000) * 1000;
  // The local cloud can be restored to a second ago at the latest.
  while (Date.now() < moment + 1_100) await new Promise((again) => setTimeout(again, 20));
  return new Date(moment).toISOString();
}

/** Starts the command and kills it with its process group; false if it was quicker. */
async function killAfter(world: World, words: string[], instant: number): Promise<boolean> {
  const { child, ended } = await world.start(...words);
  let timer: NodeJS.Timeout | undefined;
  const killed = await Promise.race([
    ended.then(() => false),
    new Promise<boolean>((passed) => {
      timer = setTimeout(() => passed(true), instant);
    }),
  ]);
  clearTimeout(timer);
  if (killed) process.kill(-child.pid!, "SIGKILL");
  await ended;
  return killed;
}

async function check(
  world: World,
  again: Ran,
  { kind, dump, where }: { kind: "instance" | "cluster"; dump: string; where: string },
): Promise<void> {
  const wrong = (what: string) => new Error(`${where}: ${what}`);
  if (again.status !== 0) throw wrong(`restore did not end well: ${again.out}${again.err}`);
  const { copy } = again.result;
  if ((await dumpDatabase(world.connection(kind, copy).adminUrl)) !== dump) throw wrong("the copy has other rows");
  const names = (await listInstances(world.cloudDir)).map(({ identifier }) => identifier);
  if (names.length !== 3) throw wrong(`there are ${names.join(", ")}`);
  if ((await listCreations(world.cloudDir)).length > 0) throw wrong("something is still being made");
  const touched = world.touching("notes-db", "shop");
  if (touched.length > 0) throw wrong(`a source was touched: ${JSON.stringify(touched)}`);
  const left = world.leftInCluster();
  if (left.length > 0) throw wrong(`left in the cluster: ${left.join(", ")}`);
}

/** What `--of` names: restores of RDS, dumps, and restores of dumps. */
const OF = { rds: killRestore, dump: killDump, restore: killDumpRestore } as const;

/** `npm run kill-restore -- ROUNDS [SEED] [--of rds|dump|restore]` */
async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: { of: { type: "string" } }, allowPositionals: true });
  const [rounds = "50", seed = String(Date.now() % 1_000_000)] = positionals;
  const kill = OF[(values.of ?? "rds") as keyof typeof OF];
  const began = Date.now();
  const done = await kill({
    rounds: Number(rounds),
    seed: Number(seed),
    onRound: ({ round, what, after }: Killed | KilledDump) =>
      console.log(
        `${String(round + 1).padStart(3)}  ${what.padEnd(16)}  ${after === undefined ? "was quicker than the kill" : `killed after ${after} ms`}, ended well`,
      ),
  });
  const killed = done.filter(({ after }) => after !== undefined).length;
  console.log(
    `${done.length} runs, ${killed} killed, all ended well; seed ${seed}, ${Math.round((Date.now() - began) / 1000)} s`,
  );
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
