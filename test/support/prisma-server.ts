import { afterAll, beforeAll, vi } from "vitest";
import { startPostgres, type TestPostgres } from "./postgres";
import { installPrisma } from "./prisma";

/** Gives the tests of the file that calls this the Prisma CLI, a Postgres, and the time that the CLI takes. */
export function postgresAndPrisma(): Pick<TestPostgres, "createDatabase"> {
  // The Prisma CLI takes seconds to start, on a busy machine many.
  vi.setConfig({ testTimeout: 180_000 });
  let postgres: TestPostgres;
  beforeAll(async () => {
    await installPrisma();
    postgres = await startPostgres();
  }, 240_000);
  afterAll(() => postgres.stop());
  return { createDatabase: () => postgres.createDatabase() };
}
