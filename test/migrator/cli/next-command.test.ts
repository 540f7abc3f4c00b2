import { randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readHistorySync } from "../../../migrations/history/history";
import { encodePayload, payloadKey } from "../../../migrations/history/payload";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, scratch, startMigrator } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

test("a run by hand names the command that works by hand, and the Job of a stack the one that runs in the cluster", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_base": "CREATE TABLE t (id int);" });
  expect((await migrate(url, directory)).exit).toBe(0);
  await query(url, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, 'x', '2_failed')", [
    randomUUID(),
  ]);
  const byHand = await migrate(url, directory);
  expect(byHand.output).toContain(`Next: npm run migrator -- resolve --diagnose 2_failed --migrations ${directory}`);

  const payload = mkdtempSync(join(scratch, "payload-"));
  for (const [index, piece] of encodePayload(readHistorySync(directory)).entries())
    writeFileSync(join(payload, payloadKey(index)), piece);
  const inCluster = (...verb: string[]) =>
    startMigrator([...verb, "--payload", payload, "--stack", "prod"], { DATABASE_URL: url }).ended;
  const next = "npm run ops -- resolve --diagnose 2_failed --stack prod";
  expect((await inCluster("deploy")).output).toContain(`Next: ${next}`);
  expect((await inCluster("status")).output).toContain(`next: ${next}`);
  expect((await inCluster("preflight")).output).toContain(`Next: ${next}`);
  expect((await inCluster("resolve", "--diagnose", "2_failed")).output).toContain(
    "npm run ops -- resolve --rolled-back 2_failed --stack prod",
  );
  expect((await inCluster("deploy", "--json")).output).toContain(`"next":"${next}"`);
});
