import type { Migration } from "../migrations/history/history";
import type { PrismaFile } from "../migrations/revert/prisma-schema";
import type { Measurement } from "../report/measurement";
import type { Finding } from "../review/finding";
import type { Trial } from "../review/trial";
import { failedFinding, lackingHere, missingRole, serverMessage } from "./failure";
import { interruptedRuns } from "./interrupted";
import { oldVersionFindings } from "./old-version";
import { type MigratorEvent, type MigratorFiles, type MigratorRun, runDeploy } from "./run-migrator";
import { runSeed, type Seed } from "./seed";
import { connected, onServer, type TrialServer } from "./server";
import { TrialUnavailable } from "./unavailable";

export { SeedFailed } from "./unavailable";

/** The migrations to try, and on what. */
export interface TrialInput {
  /** All migrations in their order. */
  readonly history: readonly Migration[];
  /** The names of those that the database has. */
  readonly applied: ReadonlySet<string>;
  /** The major version of Postgres. Default: the newest. */
  readonly postgres?: number | undefined;
  /** What fills the database with rows before the new migrations run. Default: only the history does. */
  readonly seed?: Seed | undefined;
  /** The files of the Prisma schema of the version that is serving. Default: it is unknown. */
  readonly baseSchema?: readonly PrismaFile[] | undefined;
  /** Whether the migrator is also killed in the middle and run again, which takes several runs. Default: true. */
  readonly interrupt?: boolean;
}

/**
 * Runs the migrations that are new on a server of their own, after those that are deployed and the seed, as a release
 * would: by the migrator, in a process of its own. The server is removed afterwards.
 * @returns what was seen, or why they can't be run here
 * @throws SeedFailed
 */
export async function runTrial(input: TrialInput): Promise<Trial> {
  try {
    return await onServer(input.postgres, (server) => onBase(server, input));
  } catch (error) {
    if (error instanceof TrialUnavailable) return { unavailable: error.message, findings: [] };
    throw error;
  }
}

async function onBase(server: TrialServer, input: TrialInput): Promise<Trial> {
  const { history, applied, seed, baseSchema, interrupt = true } = input;
  const deployed = history.filter(({ name }) => applied.has(name));
  if (deployed.length > 0) await deployBase(server, deployed);
  if (seed !== undefined) {
    await runSeed(seed, server.base);
    // The estimates of the tables' rows, from which their growth is told, are those of the seed then.
    await connected(server.base, (client) => client.query("ANALYZE"));
  }
  const pending = history.filter(({ name }) => !applied.has(name));
  const files = await server.files(history);
  const { url, run } = await deployOnCopy(server, files);
  const postgres = server.version;
  if (run.failed) {
    const lacks = lackingHere(run.failed);
    if (lacks !== undefined) throw new TrialUnavailable(`Postgres ${postgres} lacks something here: ${lacks}`);
    const on = `Postgres ${postgres} after ${seed === undefined ? "the history" : "the history and the seed"}`;
    return { postgres, findings: [failedFinding({ ...run, failed: run.failed }, pending, on)] };
  }
  const findings = interrupt ? await interruptedRuns(server, { files, url, run, pending }) : [];
  if (baseSchema && deployed.length > 0)
    findings.push(...(await whileBothRun(server, files, { url, pending, baseSchema })));
  return { postgres, ...measured(run), findings };
}

/** Looks at the schema that the old version meets: contract migrations wait until it has ended. */
async function whileBothRun(
  server: TrialServer,
  files: MigratorFiles,
  { url, pending, baseSchema }: { url: string; pending: readonly Migration[]; baseSchema: readonly PrismaFile[] },
): Promise<Finding[]> {
  let after = url;
  if (pending.some(({ sql }) => /release\s*:\s*contract/i.test(sql))) {
    after = await server.copy();
    const { failed } = await runDeploy(files, after, ["--hold-contract"]);
    // The migrator refuses an ordinary migration after a contract one, which the review finds itself.
    if (failed) return [];
  }
  return oldVersionFindings(baseSchema, pending, { before: server.base, after });
}

/** Applies what is deployed already. If that fails, nothing can be said about the new migrations. */
async function deployBase(server: TrialServer, deployed: readonly Migration[]): Promise<void> {
  const files = await server.files(deployed);
  const run = await withRoles(server, () => runDeploy(files, server.base));
  if (run.failed)
    throw new TrialUnavailable(
      `the migrations that are deployed already can't be applied to an empty Postgres ${server.version}: ${serverMessage(run.failed)}`,
    );
}

async function deployOnCopy(server: TrialServer, files: MigratorFiles): Promise<{ url: string; run: MigratorRun }> {
  let url = "";
  const run = await withRoles(server, async () => {
    url = await server.copy();
    return runDeploy(files, url, ["--measure"]);
  });
  return { url, run };
}

/** The largest number of roles that are created because migrations name them. */
const mostRoles = 30;

/** Repeats a deploy with the roles that it misses: those of production are made by other means than migrations. */
async function withRoles(server: TrialServer, deploy: () => Promise<MigratorRun>): Promise<MigratorRun> {
  for (let created = 0; ; created++) {
    const run = await deploy();
    const role = run.failed && missingRole(run.failed);
    if (role === undefined || created === mostRoles) return run;
    await server.createRole(role);
  }
}

/** Returns what the migrator measured (`deploy --measure`). */
function measured({ events }: MigratorRun): Pick<Trial, "measurement"> {
  const found = events.find((each): each is MigratorEvent & Measurement => each.event === "measured");
  if (!found) return {};
  const { milliseconds, migrations, growth, diskBytes, walBytes, plans } = found;
  return { measurement: { milliseconds, migrations, growth, diskBytes, walBytes, plans } };
}
