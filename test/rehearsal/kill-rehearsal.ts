import { join } from "node:path";
import { listCreations } from "../../local/cloud/aws/api/creation";
import { removeFolders } from "../by-hand/project";
import { migrate, writeMigration } from "../migrator/support";
import { query, World } from "../restore/world";
import { randomNumbers } from "../support/random-numbers";
import { untilNothingIsLeft } from "./left";

/** One round: when the rehearsal was killed, and what removed its leftovers. */
export interface KilledRehearsal {
  readonly round: number;
  /** Milliseconds after its start at which it was killed; undefined: it was quicker. */
  readonly after: number | undefined;
  readonly by: "ops prune" | "the next rehearsal";
}

/** How many rounds, by which random numbers, and who hears of them. */
export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  onRound?(killed: KilledRehearsal): void;
}

const DATABASE = { identifier: "notes-db", secret: { name: "notes-db-url" } };

/**
 * Kills `ops rehearse` with SIGKILL at a random instant, runs `ops prune` or the next rehearsal, and checks that neither
 * a copy nor a Secret nor a Job is left, and that production is unchanged.
 *
 * @throws Error at the first round that did not end well, with its seed and instant
 */
export async function killRehearsal({ rounds, seed, onRound }: KillOptions): Promise<KilledRehearsal[]> {
  const random = randomNumbers(seed);
  const world = new World({ prod: { database: DATABASE } });
  const done: KilledRehearsal[] = [];
  // The milliseconds that an undisturbed rehearsal takes. Each round that was not killed measures them again.
  let duration = 12_000;
  try {
    const source = (await world.database("instance", "notes-db", true)).adminUrl;
    const migrations = join(world.project, "migrations");
    writeMigration(migrations, "2_people", "CREATE TABLE people (id int PRIMARY KEY, email text)");
    if ((await migrate(source, migrations)).exit !== 0) throw new Error("The database could not be prepared.");
    await query(source, "INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 200000) n");
    writeMigration(migrations, "3_long_ids", "ALTER TABLE people ALTER COLUMN id TYPE bigint");
    const before = await production(source);
    for (let round = 0; round < rounds; round++) {
      const instant = Math.floor(random() * duration);
      const by = random() < 0.5 ? "ops prune" : "the next rehearsal";
      const where = `round ${round} (seed ${seed}, killed after ${instant} ms, ${by})`;
      const began = Date.now();
      const killed = await killAfter(world, instant);
      if (!killed) duration = Math.max(3_000, Date.now() - began);
      const again = await world.ops(by === "ops prune" ? "prune" : "rehearse", "--stack", "prod");
      if (again.status !== 0) throw new Error(`${where}: it did not end well: ${again.out}${again.err}`);
      await check(world, { source, before, where });
      const result = { round, after: killed ? instant : undefined, by } as const;
      done.push(result);
      onRound?.(result);
    }
  } finally {
    await world.remove();
    removeFolders();
  }
  return done;
}

/** Returns the rows, the columns and the history of production, as one text. */
async function production(url: string): Promise<string> {
  const rows = await query(
    url,
    `SELECT (SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM people p) AS people,
       (SELECT string_agg(column_name || ' ' || data_type, ', ') FROM information_schema.columns WHERE table_name = 'people') AS columns,
       (SELECT string_agg(migration_name, ', ') FROM _prisma_migrations) AS history`,
  );
  return JSON.stringify(rows);
}

/** Starts a rehearsal and kills it with its process group; false if it was quicker. */
async function killAfter(world: World, instant: number): Promise<boolean> {
  const { child, ended } = await world.startCommand("ops", "rehearse", "--stack", "prod");
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
  { source, before, where }: { source: string; before: string; where: string },
): Promise<void> {
  const left = await untilNothingIsLeft(world);
  if (left.length > 0) throw new Error(`${where}: left behind: ${left.join(", ")}`);
  if ((await listCreations(world.cloudDir)).length > 0) throw new Error(`${where}: something is still being made`);
  if ((await production(source)) !== before) throw new Error(`${where}: production has changed`);
  const touched = world.touching("notes-db");
  if (touched.length > 0) throw new Error(`${where}: production was touched: ${JSON.stringify(touched)}`);
}

/** `npm run kill-rehearsal -- ROUNDS [SEED]` */
async function main([rounds = "30", seed = String(Date.now() % 1_000_000)]: string[]): Promise<void> {
  const began = Date.now();
  const done = await killRehearsal({
    rounds: Number(rounds),
    seed: Number(seed),
    onRound: ({ round, after, by }) =>
      console.log(
        `${String(round + 1).padStart(3)}  ${after === undefined ? "was quicker than the kill" : `killed after ${after} ms`}, cleaned up by ${by}, ended well`,
      ),
  });
  const killed = done.filter(({ after }) => after !== undefined).length;
  console.log(
    `${done.length} of ${rounds} ended well, ${killed} of them killed; seed ${seed}, ${Math.round((Date.now() - began) / 1000)} s`,
  );
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
