import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { removeFolders } from "../by-hand/project";
import { migrate, writeMigration } from "../migrator/support";
import { query, World } from "../restore/world";
import { dumpDatabase } from "../support/dump";
import { untilNothingIsLeft } from "./left";

const world = new World({
  prod: {
    database: { identifier: "notes-db", secret: { name: "notes-db-url" } },
    rehearsal: { limits: { duration: "10m" } },
  },
});
let source: string;

beforeAll(async () => {
  source = (await world.database("instance", "notes-db", true)).adminUrl;
  const migrations = join(world.project, "migrations");
  writeMigration(migrations, "2_people", "CREATE TABLE people (id int PRIMARY KEY, email text)");
  expect((await migrate(source, migrations)).exit).toBe(0);
  await query(source, "INSERT INTO people SELECT n, 'secret' || n % 98 FROM generate_series(1, 100) n");
  writeMigration(migrations, "3_age", "ALTER TABLE people ADD COLUMN age int");
  writeMigration(migrations, "4_unique", 'CREATE UNIQUE INDEX "email" ON people (email)');
}, 240_000);
afterAll(async () => {
  await world.remove();
  removeFolders();
});

const proof = () =>
  JSON.parse(
    listObjects(world.cloudDir, { kind: "ConfigMap", namespace: "default" }).find(
      ({ metadata }) => metadata.name === "notes-rehearsal",
    )!["data"].proof,
  );

test("a migration that fails on production's rows alone is stopped on a copy that nobody mistakes for production", async () => {
  const before = await dumpDatabase(source);
  const { status, out, err } = await world.ops("rehearse", "--stack", "prod");
  expect(status, out + err).toBe(1);
  expect(err).toMatch(
    /^FAILED: Production is untouched\. On the copy: Migration 4_unique failed\.\n {2}Duplicate keys \(email\) of people: 2 keys in 4 rows\.$/m,
  );
  expect(out + err).not.toContain("secret");
  expect(proof()).toMatchObject({
    ...{ result: "failed", reason: "Migration 4_unique failed. Duplicate keys (email) of people: 2 keys in 4 rows." },
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(await untilNothingIsLeft(world)).toEqual([]);
  expect(world.touching("notes-db")).toEqual([]);
  expect(await dumpDatabase(source)).toBe(before);
  const made = world.trail().find(({ action }) => action === "RestoreDBInstanceToPointInTime")!;
  expect(made.parameters).toMatchObject({ MultiAZ: false, PubliclyAccessible: false, DeletionProtection: false });
  expect(JSON.stringify(made.parameters)).toContain("postgres-release:rehearsal");
}, 240_000);
