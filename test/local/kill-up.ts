import { execFileSync, spawnSync } from "node:child_process";
import { Client } from "pg";
import { describeProcess, isRunning, type ProcessRecord } from "../../local/cloud/process";
import { randomNumbers } from "../support/random-numbers";
import { Cli, getJson, ownHistory, processesOf, until } from "./cli";

export interface Killed {
  round: number;
  /** Milliseconds after its start at which `up` was killed; undefined: it was quicker. */
  after: number | undefined;
  fresh: boolean;
}

export interface KillOptions {
  rounds: number;
  seed: number;
  /** A new stack, with its first release to be killed, every so many rounds. */
  freshEvery: number;
  onRound?(killed: Killed): void;
}

/**
 * Kills `up` with SIGKILL at a random instant, runs it again, and checks that the release is complete, that each migration
 * was applied once, that there were never two migrators at once, and that nothing is left behind after `down`. Every
 * round is a release of its own: a new image and a new migration.
 *
 * @throws Error at the first round that did not converge, with its seed and instant
 */
export async function killUp({ rounds, seed, freshEvery, onRound }: KillOptions): Promise<Killed[]> {
  const random = randomNumbers(seed);
  const done: Killed[] = [];
  let cli: Cli | undefined;
  // Of an undisturbed release on this machine, now; measured again at each round that was not killed.
  let duration = 8_000;
  const children: ProcessRecord[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const fresh = round % freshEvery === 0;
      if (fresh) {
        if (cli) await leave(cli, children);
        cli = new Cli(1);
      }
      const stack = cli!;
      const migration = `2027${String(round).padStart(4, "0")}000000_round`;
      stack.addMigration(
        migration,
        `CREATE TABLE round_${round} (id int);\nINSERT INTO round_${round} VALUES (${round});\n`,
      );
      stack.set("app.image", `notes:1.${round}.0`);

      const instant = Math.floor(random() * duration);
      const where = `round ${round} (seed ${seed}, killed after ${instant} ms${fresh ? ", first release" : ""})`;
      const watch = watchMigrators(stack.stateDir);
      const began = Date.now();
      const child = stack.start("up", "--json");
      const first = stack.finish(child);
      await Promise.race([first, until(() => Date.now() - began >= instant, "the instant", duration + 60_000)]);
      const killed = child.exitCode === null;
      if (killed) {
        children.push(...descendants(child.pid!));
        child.kill("SIGKILL");
      }
      const { status } = await first;
      if (killed) await lookAndStop(stack, where, round % 2 === 1);
      if (!killed) {
        duration = Math.max(2_000, Date.now() - began);
        if (status !== 0) throw new Error(`${where}: up ended with ${status} undisturbed`);
      }
      const again = await stack.run("up", "--json");
      if (again.status !== 0) throw new Error(`${where}: up did not converge: ${again.stdout}${again.stderr}`);
      const most = watch.stop();
      if (most > 1) throw new Error(`${where}: ${most} migrators ran at once`);
      await check(stack, round, migration, where);

      const result = { round, after: killed ? instant : undefined, fresh };
      done.push(result);
      onRound?.(result);
    }
    if (cli) await leave(cli, children);
    cli = undefined;
  } finally {
    await cli?.end();
  }
  return done;
}

/** What a person does first after a command that was killed: looks, and, every other round, stops everything. */
async function lookAndStop(cli: Cli, where: string, stop: boolean): Promise<void> {
  for (const verb of stop ? ["status", "down"] : ["status"]) {
    const ran = await cli.run(verb);
    if (ran.status !== 0) throw new Error(`${where}: ${verb} ended with ${ran.status}: ${ran.stderr}`);
  }
}

/** Throws unless the round's release serves, and each migration was applied exactly once. */
export async function check(cli: Cli, round: number, migration: string, where: string): Promise<void> {
  const { url } = await cli.outputs();
  const { body } = await getJson(String(url), "/health");
  if (body.version !== `1.${round}.0` || body.schemaVersion !== migration) {
    throw new Error(`${where}: ${JSON.stringify(body)} serves`);
  }
  const client = new Client({ connectionString: cli.connection().adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ migration_name: string; rows: number; open: number }>(
      `SELECT migration_name, count(*)::int AS rows, count(*) FILTER (WHERE finished_at IS NULL)::int AS open
       FROM _prisma_migrations GROUP BY 1 ORDER BY 1`,
    );
    const wrong = rows.filter((row) => row.rows !== 1 || row.open !== 0);
    if (wrong.length > 0) throw new Error(`${where}: not applied once: ${JSON.stringify(wrong)}`);
    if (rows.at(-1)?.migration_name !== migration || rows[0]?.migration_name !== ownHistory()[0]) {
      throw new Error(`${where}: the history is ${JSON.stringify(rows)}`);
    }
    const { rows: counted } = await client.query(`SELECT count(*)::int AS n FROM round_${round}`);
    if (counted[0].n !== 1) throw new Error(`${where}: ${counted[0].n} rows were inserted`);
  } finally {
    await client.end();
  }
}

/** Ends the stack as its user would, and looks for what that has missed. */
async function leave(cli: Cli, children: ProcessRecord[]): Promise<void> {
  const { status, stderr } = await cli.run("down");
  if (status !== 0) throw new Error(`down ended with ${status}: ${stderr}`);
  const left = processesOf(cli.stateDir);
  if (left.length > 0) throw new Error(`left behind after down: ${left.join("\n")}`);
  // The Pulumi program of a killed `up` is nobody's child, and names no folder.
  await until(
    () => !children.some(isRunning),
    `the children of a killed up end: ${children.filter(isRunning).map(({ pid }) => pid)}`,
  );
  await cli.end();
}

/** The largest number of migrators that were seen at one moment. */
function watchMigrators(directory: string): { stop(): number } {
  let most = 0;
  const timer = setInterval(() => {
    const lines = execFileSync("ps", ["-eo", "args="], { encoding: "utf8", maxBuffer: 64e6 }).split("\n");
    most = Math.max(
      most,
      lines.filter((line) => line.includes("migrator.cjs deploy") && line.includes(directory)).length,
    );
  }, 250);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

function descendants(pid: number): ProcessRecord[] {
  const table = spawnSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).stdout;
  const parents = new Map(
    table
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]),
  );
  const isBelow = (each: number): boolean => {
    const parent = parents.get(each);
    return parent !== undefined && parent > 1 && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow).flatMap((each) => describeProcess(each) ?? []);
}

/** `npm run kill-up -- ROUNDS [SEED]` */
async function main([rounds = "50", seed = String(Date.now() % 1_000_000)]: string[]): Promise<void> {
  const began = Date.now();
  const done = await killUp({
    rounds: Number(rounds),
    seed: Number(seed),
    freshEvery: 10,
    onRound: ({ round, after, fresh }) =>
      console.log(
        `${String(round + 1).padStart(3)}  ${fresh ? "first release" : "release      "}  ${after === undefined ? "was quicker than the kill" : `killed after ${after} ms`}, converged`,
      ),
  });
  const killed = done.filter(({ after }) => after !== undefined).length;
  console.log(
    `${done.length} releases, ${killed} killed, all converged; seed ${seed}, ${Math.round((Date.now() - began) / 1000)} s`,
  );
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
