import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checksumOf, type Migration } from "../../../migrations/history/history";
import { planRevert, type RevertPlan } from "../../../migrations/revert/plan-revert";
import type { Catalog } from "../../../migrations/schema/expectation";
import { loadParser, parseScript } from "../../../migrations/sql/parse";
import { readEverything } from "../../../migrator/checks/definitions";
import { describeDifference, differences } from "../../../migrator/checks/drift";
import { Session } from "../../../migrator/db/connection";
import { parseUrl } from "../../../migrator/db/url";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { randomNumbers } from "../../support/random-numbers";
import { BASE, randomStatement } from "./random-statements";

/** The number of random migrations, and the seed of the first one; each later one has the next number. */
const SEQUENCES = Number(process.env["REVERT_SEQUENCES"] ?? 10);
const SEED = Number(process.env["REVERT_SEED"] ?? 1);

let postgres: TestPostgres;

beforeAll(async () => {
  [postgres] = await Promise.all([startPostgres(), loadParser()]);
  await onDatabase("postgres", (client) => client.query("CREATE DATABASE base"));
  await onDatabase("base", (client) => client.query(BASE));
});
afterAll(() => postgres.stop());

const urlOf = (database: string) => postgres.url.replace(/\/[^/]*$/, `/${database}`);

async function onDatabase<T>(database: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: urlOf(database) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function catalogOf(database: string): Promise<Catalog> {
  const session = await Session.open(parseUrl(urlOf(database)), { applicationName: "test", connectWait: 5_000 });
  try {
    const catalog = await readEverything(session);
    // Postgres numbers the name of a NOT NULL if a detached partition still has it.
    return Object.fromEntries(
      Object.entries(catalog).map(([key, value]) => [key.replace(/_not_null\d+$/, "_not_null"), value]),
    );
  } finally {
    await session.close();
  }
}

/** Runs random statements and keeps those that Postgres accepted. */
async function draw(client: Client, most: number, random: () => number): Promise<string[]> {
  const kept: string[] = [];
  for (let tried = 0; kept.length < most && tried < most * 25; tried++) {
    const statement = randomStatement(random);
    if (await runs(client, statement)) kept.push(statement);
  }
  return kept;
}

async function runs(client: Client, statement: string): Promise<boolean> {
  try {
    await client.query(statement);
    return true;
  } catch {
    return false;
  }
}

const migration = (name: string, statements: readonly string[]): Migration => {
  const sql = statements.join(";\n");
  return { name, sql, checksum: checksumOf(sql) };
};

/**
 * Runs what a plan has written.
 * @returns false if a row that was written meanwhile doesn't fit, which no plan can know
 */
async function take(client: Client, { migrations }: RevertPlan): Promise<boolean> {
  for (const { sql } of migrations)
    for (const { text } of parseScript(sql))
      try {
        await client.query(text);
      } catch (error) {
        const { code = "", message } = error as { code?: string; message: string };
        if (/^2[23]/.test(code)) return false;
        throw new Error(`${text}: ${message}`);
      }
  return true;
}

/** Changes of rows, which no catalog shows, and comments, which may stay. */
const onlyRows = ({ kind }: RevertPlan["kept"][number]) => /^(INSERT|UPDATE|COMMENT)$/.test(kind);

async function tryOne(seed: number): Promise<"equal" | "partly" | "refused" | "rows"> {
  const random = randomNumbers(seed);
  const database = `revert_${seed}`;
  await onDatabase("postgres", (client) => client.query(`CREATE DATABASE ${database} TEMPLATE base`));
  try {
    return await onDatabase(database, async (client) => {
      const before = await catalogOf(database);
      const statements = await draw(client, 1 + Math.floor(random() * 6), random);
      const later = random() < 0.4 ? await draw(client, 1 + Math.floor(random() * 3), random) : [];
      const history = [migration("1_base", [BASE]), migration("2_a", statements), migration("3_b", later)];
      const plan = planRevert(history, "2_a", { now: new Date(), mayWait: true });
      const told = `seed ${seed}:\n${JSON.stringify({ statements, later, plan }, null, 1)}`;
      if (plan.builtUpon.length > 0) return "refused";
      const taken = await take(client, plan).catch((error: Error) => expect.fail(`${error.message}\n${told}`));
      if (!taken) return "rows";
      if (later.length > 0 || !plan.kept.every(onlyRows)) return "partly";
      const left = differences(before, await catalogOf(database));
      expect(left.map(describeDifference), told).toEqual([]);
      return "equal";
    });
  } finally {
    await onDatabase("postgres", (client) => client.query(`DROP DATABASE ${database} WITH (FORCE)`));
  }
}

test(
  "what takes a random migration back runs, and leaves the catalog as it was before",
  async () => {
    const results: Record<string, number> = {};
    for (let seed = SEED; seed < SEED + SEQUENCES; seed++) {
      const result = await tryOne(seed);
      results[result] = (results[result] ?? 0) + 1;
    }
    if (process.env["REVERT_SEQUENCES"]) console.log(`${SEQUENCES} from seed ${SEED}: ${JSON.stringify(results)}`);
    expect(results["equal"]).toBeGreaterThan(SEQUENCES / 5);
  },
  60_000 + SEQUENCES * 5_000,
);
