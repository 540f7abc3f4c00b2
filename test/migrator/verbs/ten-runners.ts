/** `npm run ten-runners [ROUNDS]`: 10 migrators at once over 50 migrations, 20 rounds; each migration must be applied once, and none may fail. */
import { startPostgres } from "../../support/postgres";
import { historyOf, query, startMigrator } from "../support";

const rounds = Number(process.argv[2] ?? 20);

async function main(): Promise<void> {
  const migrations: Record<string, string> = {};
  for (let number = 1; number <= 50; number++) {
    const index = number % 10 === 0 ? `\nCREATE INDEX CONCURRENTLY t${number}_id ON t${number} (id);` : "";
    migrations[`${1000 + number}_m`] = `CREATE TABLE t${number} (id int);${index}`;
  }
  const directory = historyOf(migrations);
  const postgres = await startPostgres();
  let wrong = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const url = await postgres.createDatabase();
      const runs = Array.from(
        { length: 10 },
        () => startMigrator(["deploy", "--migrations", directory], { DATABASE_URL: url }).ended,
      );
      const exits = (await Promise.all(runs)).map(({ exit }) => exit);
      const [{ rows, names }] = (await query<{ rows: number; names: number }>(
        url,
        "SELECT count(*)::int AS rows, count(DISTINCT migration_name)::int AS names FROM _prisma_migrations WHERE finished_at IS NOT NULL",
      )) as [{ rows: number; names: number }];
      const right = exits.every((exit) => exit === 0) && rows === 50 && names === 50;
      if (!right) wrong++;
      console.log(`round ${round}: ${right ? "right" : `WRONG, ${JSON.stringify({ exits, rows, names })}`}`);
    }
  } finally {
    await postgres.stop();
  }
  console.log(`${rounds} rounds, ${wrong} wrong`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
void main();
