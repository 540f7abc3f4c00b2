import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeFolders } from "../by-hand/project";
import { migrate, writeMigration } from "../migrator/support";
import { query, World } from "../restore/world";
import { untilNothingIsLeft } from "./left";

const ROWS = 1_000_000;

/** The share by which the rehearsal's time may differ from production's. */
const TOLERANCE = 0.25;

const world = new World({ prod: { database: { identifier: "notes-db", secret: { name: "notes-db-url" } } } });
const migrations = join(world.project, "migrations");
let source: string;

beforeAll(async () => {
  source = (await world.database("instance", "notes-db", true)).adminUrl;
  writeMigration(migrations, "2_notes", "CREATE TABLE notes (id int PRIMARY KEY, author int, body text)");
  expect((await migrate(source, migrations)).exit).toBe(0);
  await query(
    source,
    `INSERT INTO notes SELECT n, n % 5000, repeat(md5(n::text), 5) FROM generate_series(1, ${ROWS}) n`,
  );
  await query(source, "CREATE INDEX author ON notes (author)");
  await query(source, "VACUUM (ANALYZE) notes");
  writeMigration(migrations, "3_long_ids", "ALTER TABLE notes ALTER COLUMN id TYPE bigint");
}, 480_000);
afterAll(async () => {
  await world.remove();
  removeFolders();
}, 120_000);

test("the rehearsal of a rewrite of 1 million rows tells how long production then takes", async () => {
  const { status, out, err, result } = await world.ops("rehearse", "--stack", "prod", "--json");
  expect(status, out + err).toBe(0);
  const [rewrite] = result.measurement.migrations;
  expect(rewrite).toMatchObject({
    name: "3_long_ids",
    blocked: [{ table: "notes", lock: "ACCESS EXCLUSIVE" }],
    statements: [{ tables: [{ name: "notes", lock: "ACCESS EXCLUSIVE", rewritten: true, scanned: true }] }],
  });
  expect(await untilNothingIsLeft(world)).toEqual([]);
  const released = await migrate(source, migrations, "--json");
  expect(released.exit, released.output).toBe(0);
  const events = released.output.split("\n").filter((line) => line.startsWith("{"));
  const { duration } = events.map((line) => JSON.parse(line)).find(({ event }) => event === "migration.finished");
  const difference = rewrite.milliseconds / duration - 1;
  const percent = `${difference > 0 ? "+" : ""}${Math.round(difference * 100)} %`;
  console.log(
    `rehearsed: ${rewrite.milliseconds} ms, blocked ${rewrite.blocked[0].milliseconds} ms; production: ${duration} ms (${percent})`,
  );
  expect(Math.abs(difference), percent).toBeLessThan(TOLERANCE);
}, 480_000);
