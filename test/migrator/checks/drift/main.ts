/**
 * `npm run drift-corpus [-- --history FOLDER …]`: tries the corpus of changes by hand on several databases, and prints
 * what was found and what the SQL of both directions led to. Each database is deployed by the migrator from a history
 * and the corpus's own objects; then the verb `drift` must find nothing. The exit status is 1 if a change is not found,
 * if drift is found where there is none, or if SQL leaves drift.
 */
import { cpSync } from "node:fs";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { columns } from "../../../../local/commands/output";
import { startPostgres } from "../../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../../support";
import { BASE, CORPUS, type Drift } from "./corpus";
import { MANAGED, MANAGED_BY_OTHERS } from "./managed";
import { CorpusDatabase, type Outcome, type Tried } from "./try-drift";

const DIRECTIONS = ["to-history", "to-database"] as const;
type Direction = (typeof DIRECTIONS)[number];

interface Case {
  readonly name: string;
  readonly directory: string;
  /** What other programs do to the database after the history ran. */
  readonly byOthers?: string;
}

interface Result {
  readonly row: string[];
  /** What is to be listed below the table. */
  readonly notes: readonly string[];
  readonly failures: readonly string[];
}

async function tryCase(url: string, { name, directory, byOthers }: Case): Promise<Result> {
  writeMigration(directory, "99999999999999_corpus", BASE);
  const deploy = await migrate(url, directory, "deploy");
  if (deploy.exit !== 0) throw new Error(`${name}: deploy ends with ${deploy.exit}:\n${deploy.output}`);
  if (byOthers) await query(url, byOthers);
  const drift = await migrate(url, directory, "drift");
  const tried = await tryCorpus(url);
  const at = <T>(list: (drift: Drift, tried: Tried) => readonly T[]) =>
    CORPUS.flatMap((each, i) => list(each, tried[i]!));
  const found = at(({ finds }, { found }) => (found.includes(finds) ? [finds] : []));
  const withOutcome = (outcome: Outcome, direction: Direction) =>
    at(({ sql }, each) => (each[direction] === outcome ? [`${name}: ${direction}: ${outcome}: ${sql}`] : []));
  const counts = [found, ...DIRECTIONS.map((direction) => withOutcome("no drift", direction))];
  return {
    row: [name, drift.exit === 0 ? "no" : "yes", ...counts.map(({ length }) => `${length} of ${CORPUS.length}`)],
    notes: [
      ...(drift.output.match(/^Compared as preflight.*$/m) ?? []),
      ...DIRECTIONS.flatMap((direction) => withOutcome("not generated", direction)),
    ],
    failures: [
      ...(drift.exit === 0 ? [] : [`${name}: drift ends with ${drift.exit}:\n${drift.output}`]),
      ...at(({ sql, finds }, { found }) => (found.includes(finds) ? [] : [`${name}: not found: ${sql}`])),
      ...DIRECTIONS.flatMap((direction) => withOutcome("drift is left", direction)),
    ],
  };
}

async function tryCorpus(url: string): Promise<Tried[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const database = await CorpusDatabase.of(client);
    const tried: Tried[] = [];
    for (const drift of CORPUS) tried.push(await database.try(drift));
    return tried;
  } finally {
    await client.end();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { history: { type: "string", multiple: true, default: [] } } });
  const copy = (folder: string) => {
    const directory = historyOf({});
    cpSync(folder, directory, { recursive: true });
    return directory;
  };
  const cases: Case[] = [
    { name: "the corpus alone", directory: historyOf({}) },
    { name: "examples/app", directory: copy("examples/app/prisma/migrations") },
    { name: "partitions, extensions, RLS", directory: historyOf(MANAGED), byOthers: MANAGED_BY_OTHERS },
    ...values.history.map((folder) => ({ name: folder, directory: copy(folder) })),
  ];
  const postgres = await startPostgres();
  try {
    await query(postgres.url, "CREATE ROLE drift_app");
    const results: Result[] = [];
    for (const each of cases) results.push(await tryCase(await postgres.createDatabase(), each));
    const head = ["database", "drift invented", "found", "SQL to the history", "SQL to the database"];
    console.log(columns([head, ...results.map(({ row }) => row)]).join("\n"));
    const failures = results.flatMap(({ failures }) => failures);
    for (const line of [...results.flatMap(({ notes }) => notes), ...failures]) console.log(line);
    return failures.length > 0 ? 1 : 0;
  } finally {
    await postgres.stop();
  }
}

main().then(
  (exit) => {
    process.exitCode = exit;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
