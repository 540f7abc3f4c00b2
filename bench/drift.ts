import { startPostgres } from "../test/support/postgres";
import { history, measure } from "./deployed";
import { type Figure, median } from "./figure";

const ROUNDS = 3;
const TABLES = 1000;
const TABLES_PER_MIGRATION = 5;

/** A table as Prisma writes it, with a key to the one before it. */
function tableSql(index: number): string {
  const table = `t${index}`;
  const parent = `t${index - 1}`;
  return `-- CreateTable
CREATE TABLE "${table}" (
    "id" SERIAL NOT NULL,
    "parentId" INTEGER,
    "name" TEXT NOT NULL DEFAULT 'new',
    "email" VARCHAR(200),
    "at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "state" TEXT NOT NULL,
    "data" JSONB,
    "amount" DECIMAL(10,2),

    CONSTRAINT "${table}_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "${table}_name_idx" ON "${table}"("name");
CREATE UNIQUE INDEX "${table}_email_key" ON "${table}"("email");
${index === 0 ? "" : `ALTER TABLE "${table}" ADD CONSTRAINT "${table}_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "${parent}"("id");\n`}`;
}

/**
 * Measures the verb `drift` on a schema of 1,000 tables with 15,000 objects: the whole process, with the history's run
 * on a scratch database.
 */
export async function benchDrift(): Promise<Figure[]> {
  const migrations = Array.from({ length: TABLES / TABLES_PER_MIGRATION }, (_, number): [string, string] => {
    const tables = Array.from({ length: TABLES_PER_MIGRATION }, (_, at) => number * TABLES_PER_MIGRATION + at);
    return [`${String(number).padStart(14, "0")}_m`, tables.map(tableSql).join("\n")];
  });
  const directory = history("tables", migrations);
  const postgres = await startPostgres();
  try {
    const url = await postgres.createDatabase();
    await measure(url, "deploy", "--migrations", directory);
    const runs = [];
    for (let round = 0; round < ROUNDS; round++) runs.push(await measure(url, "drift", "--migrations", directory));
    const note = `${migrations.length} migrations, median of ${ROUNDS}`;
    return [
      {
        name: `drift on ${TABLES} tables`,
        value: median(runs.map(({ time }) => time)),
        unit: "ms",
        limit: 5000,
        note,
      },
      { name: "memory (RSS) for it", value: median(runs.map(({ memory }) => memory)), unit: "MiB", limit: 150, note },
    ];
  } finally {
    await postgres.stop();
  }
}
