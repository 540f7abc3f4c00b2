import type { Migration } from "../migrations/history/history";
import type { Finding } from "../review/finding";
import { definitionsOf } from "./definitions";
import { serverMessage } from "./failure";
import { trialFinding } from "./finding";
import { type MigratorEvent, type MigratorFiles, type MigratorRun, runDeploy } from "./run-migrator";
import { connected, type TrialServer } from "./server";

/** An undisturbed run of the migrations, with which other runs are compared. */
export interface Undisturbed {
  readonly files: MigratorFiles;
  /** The database that it was run on. */
  readonly url: string;
  readonly run: MigratorRun;
  readonly pending: readonly Migration[];
}

/** The events after which a run is killed. */
const steps: ReadonlySet<string> = new Set(["migration.started", "statement.finished"]);
/** The largest number of runs that are killed. Two at a time keep both processors of a small machine busy. */
const mostKills = 4;
/** The time in milliseconds after which no further run is killed: the history may be long. */
const killingTime = 20_000;

/**
 * Runs the migrations once more on the same database, and on copies of the base where the migrator is killed in the
 * middle and then run again. Each must end as the undisturbed run did.
 */
export async function interruptedRuns(server: TrialServer, undisturbed: Undisturbed): Promise<Finding[]> {
  const expected = await schemaOf(undisturbed.url);
  const again = await runAgain(undisturbed, expected);
  if (again) return [again];
  const count = undisturbed.run.events.filter(({ event }) => steps.has(event)).length;
  const found: Finding[] = [];
  const moments = spread(count, mostKills).values();
  const until = Date.now() + killingTime;
  const kill = async () => {
    for (const moment of moments)
      if (Date.now() < until) found.push(...(await killedAt(moment, server, undisturbed, expected)));
  };
  await Promise.all([kill(), kill()]);
  // One migration that can't be resumed is one finding, whatever the number of moments that show it.
  return found.filter(({ migration }, index) => found.findIndex((each) => each.migration === migration) === index);
}

/** Chooses at most `most` of the numbers from 1 to `count`: the first, the last, and some between them. */
function spread(count: number, most: number): number[] {
  const last = Math.min(count, most) - 1;
  const chosen = Array.from(
    { length: last + 1 },
    (_, index) => 1 + Math.round((index * (count - 1)) / Math.max(last, 1)),
  );
  return [...new Set(chosen)];
}

async function runAgain(
  { files, url, pending }: Undisturbed,
  expected: readonly string[],
): Promise<Finding | undefined> {
  const { failed, events } = await runDeploy(files, url);
  const applied = events.find(({ event }) => event === "deploy.finished")?.["applied"];
  const difference = failed ? undefined : firstDifference(expected, await schemaOf(url));
  if (!failed && applied === 0 && difference === undefined) return undefined;
  const what = failed ? `it failed: ${serverMessage(failed)}` : (difference ?? `it applied ${applied} again`);
  return trialFinding("not-repeatable", pending.at(-1)!, {
    what: `Run once more after all migrations were applied, the migrator changed something: ${what}.`,
    who: "The next release, which begins with migrations that were applied before.",
    howLong: "Until the migration is corrected",
  });
}

async function killedAt(
  moment: number,
  server: TrialServer,
  { files, pending }: Undisturbed,
  expected: readonly string[],
): Promise<Finding[]> {
  const url = await server.copy();
  let seen = 0;
  let at: MigratorEvent | undefined;
  await runDeploy(files, url, [], (event) => {
    if (!steps.has(event.event) || ++seen < moment) return false;
    at = event;
    return true;
  });
  const { failed } = await runDeploy(files, url);
  const difference = failed ? undefined : firstDifference(expected, await schemaOf(url));
  if (!failed && difference === undefined) return [];
  const migration = pending.find(({ name }) => name === at?.["migration"]) ?? pending[0]!;
  const what = failed
    ? `the migrator refused to go on: ${serverMessage(failed)}`
    : `the schema was another one than without the kill: ${difference}`;
  return [
    trialFinding("not-resumable", migration, {
      what: `Killed in the middle and run again, ${what}.`,
      who: "The release, if its pod is evicted or its node is lost: somebody must repair the database by hand.",
      howLong: "While the migration runs",
    }),
  ];
}

function schemaOf(url: string): Promise<string[]> {
  return connected(url, async (client) => {
    await client.query("BEGIN READ ONLY");
    return definitionsOf(client);
  });
}

/** Returns the first definition that only one of the schemas has; undefined if they are the same. */
function firstDifference(expected: readonly string[], found: readonly string[]): string | undefined {
  const [here, there] = [new Set(found), new Set(expected)];
  const missing = expected.find((line) => !here.has(line));
  const added = found.find((line) => !there.has(line));
  const line = missing ?? added;
  return line && `${missing === undefined ? "new" : "missing"} is ${line.split("\n")[0]!.slice(0, 200)}`;
}
