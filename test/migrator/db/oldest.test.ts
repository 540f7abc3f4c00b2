import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { MajorUnavailable, NEWEST, OLDEST } from "../../../embedded/majors";
import { chosenMajor } from "../../support/majors";
import { startServer, type TestServer } from "../../support/server";
import { KILL_HISTORY } from "../apply/kills";
import { historyOf, migrate, query, writeMigration } from "../support";

// It waits for what a server does in its own time, on a busy machine long.
vi.setConfig({ testTimeout: 180_000 });

/** The short form of `POSTGRES_MAJOR=13 npx vitest run test/migrator`; its binaries are installed once a machine. */
describe.skipIf(chosenMajor !== NEWEST)(`Postgres ${OLDEST}`, () => {
  let server: TestServer | undefined;
  let unavailable = "";
  beforeAll(async () => {
    try {
      server = await startServer({ major: OLDEST, settings: { shared_preload_libraries: "pg_stat_statements" } });
    } catch (error) {
      if (!(error instanceof MajorUnavailable)) throw error;
      unavailable = error.message;
    }
  }, 180_000);
  afterAll(() => server?.stop());

  test("is deployed to by every kind of migration, checked before and after, and compared", async ({ skip }) => {
    if (!server) return skip(unavailable);
    const url = await server.createDatabase();
    await query(url, "CREATE EXTENSION pg_stat_statements");
    const directory = historyOf(KILL_HISTORY);
    // Detaching CONCURRENTLY came with 14.
    writeMigration(directory, "20240108000000_detach", "ALTER TABLE parts DETACH PARTITION parts_old;");
    expect(await migrate(url, directory, "preflight")).toMatchObject({ exit: 0 });
    const deployed = await migrate(url, directory);
    expect(deployed).toMatchObject({ exit: 0, output: expect.stringContaining("Verified") });
    writeMigration(directory, "20240110000000_more", "ALTER TABLE parts ADD COLUMN more text;");
    for (const verb of ["preflight", "deploy"]) {
      const { exit, output } = await migrate(url, directory, verb);
      expect(exit).toBe(0);
      const report = JSON.parse(/^REPORT (.*)$/m.exec(output)![1]!) as { results: { name: string; outcome: string }[] };
      // A check whose query this version doesn't know would be unknown.
      expect(report.results.filter(({ outcome }) => outcome === "unknown" || outcome === "fail")).toEqual([]);
    }
    for (const verb of ["status", "verify", "compare"]) expect((await migrate(url, directory, verb)).exit).toBe(0);
  });
});
