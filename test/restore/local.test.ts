import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { establishedSettings } from "../../local/cloud/aws/api/settings";
import { readInstance, writeInstance } from "../../local/cloud/aws/records";
import { writeAtomically } from "../../text/atomic";
import { removeFolders } from "../by-hand/project";
import { dumpDatabase } from "../support/dump";
import { restoreActions } from "../support/readme";
import { query, World } from "./world";

const database = (kind: string, identifier: string) => ({
  database: { kind, identifier, secret: { name: `${identifier}-url` } },
  "aws:region": "eu-central-1",
});

const world = new World({
  prod: database("instance", "notes-db"),
  aurora: database("cluster", "shop"),
  elsewhere: { ...database("instance", "notes-db"), "aws:allowedAccountIds": ["111122223333"] },
});

let source: string;
let dump: string;
/** A moment after the snapshots and before the last row. */
let moment: string;
let shop: string;

beforeAll(async () => {
  source = (await world.database("instance", "notes-db", true)).adminUrl;
  shop = (await world.database("cluster", "shop", true)).adminUrl;
  await query(
    source,
    `CREATE TABLE notes (id int PRIMARY KEY, body text);
     CREATE UNLOGGED TABLE cache (id int);
     INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 200) n;
     INSERT INTO cache SELECT generate_series(1, 50);
     CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
       migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz DEFAULT now(), applied_steps_count int DEFAULT 0);
     INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', 'x', '1_init', now())`,
  );
  await query(shop, "CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 300) n");
  dump = await dumpDatabase(shop);
  await world.snapshot("instance", "notes-db", "notes-db-1");
  await world.snapshot("cluster", "shop", "shop-1");
  await query(source, "INSERT INTO notes VALUES (201, 'before')");
  await query(shop, "INSERT INTO orders VALUES (301)");
  const [{ now }] = await query(source, "SELECT now()");
  moment = new Date(Math.ceil((now.getTime() + 1) / 1000) * 1000).toISOString();
  const past = (at: Date) => at.getTime() > new Date(moment).getTime() + 50;
  while (!past((await query(source, "SELECT clock_timestamp() AS at"))[0].at));
  await query(source, "INSERT INTO notes VALUES (202, 'after')");
  await query(shop, "INSERT INTO orders VALUES (302)");
}, 240_000);
afterAll(async () => {
  await world.remove();
  removeFolders();
});

const rows = async (kind: "instance" | "cluster", copy: string, table: string) =>
  (await query(world.connection(kind, copy).adminUrl, `SELECT count(*)::int AS n FROM ${table}`))[0].n;

describe.sequential("npm run restore, on the local cloud", { timeout: 240_000 }, () => {
  test("shows every call and asks RDS nothing else than what is there, with --plan", async () => {
    world.release({ snapshot: { id: "notes-db-1", arn: "arn", createdAt: "2026-11-21T10:00:00Z" } });
    const { status, out, err } = await world.run("--plan", "--stack", "prod");
    expect(status, err).toBe(0);
    expect(out).toContain("Restore of instance notes-db (stack prod, account 000000000000, xx-local-1)");
    expect(out).toMatch(/to {2}snapshot notes-db-1 of \d{4}-/);
    expect(out).toContain("1. RestoreDBInstanceFromDBSnapshot: makes the database, beside its source");
    expect(out).toContain("--vpc-security-group-ids sg-0123456789release");
    expect(out).toContain("2. ModifyDBInstance: sets what a restore doesn't take");
    expect(new Set(world.trail().map(({ action }) => action))).toEqual(
      new Set(["DescribeDBInstances", "DescribeDBSnapshots"]),
    );
  });

  test("restores the live release's snapshot with the source's settings, and looks at the copy over SQL", async () => {
    const { status, out, err, result } = await world.run("--stack", "prod", "--json");
    expect(status, out + err).toBe(0);
    expect(result).toMatchObject({
      ...{ event: "restored", stack: "prod", source: "instance notes-db", endpoint: { host: "127.0.0.1" } },
      copy: expect.stringMatching(/^notes-db-restored-\d{8}-\d{4}$/),
      // Every server of this machine has a port of its own. Nothing else differs.
      differences: [{ parameter: "Endpoint.Port" }],
      verified: { status: 0, found: { last: "1_init", applied: 1, rows: { notes: 200, cache: 0 }, findings: [] } },
    });
    expect(await rows("instance", result.copy, "notes")).toBe(200);
    expect(err).toContain("Schema: 1_init, 1 migration applied; all of this checkout.");
    expect(world.leftInCluster()).toEqual([]);
    expect(world.touching("notes-db")).toEqual([]);
  });

  test("finds the copy again by its tags, and makes no second one", async () => {
    const made = () => world.trail().filter(({ action }) => action.startsWith("Restore")).length;
    const before = made();
    const { status, out, err } = await world.run("--to", "NOTES-DB-1", "--no-verify", "--stack", "prod");
    expect(status, err).toBe(0);
    expect(out).toContain(", which an earlier run has begun");
    expect(out).toMatch(/To remove the copy: npm run restore -- remove notes-db-restored-\d{8}-\d{4} --stack prod\n/);
    expect(made()).toBe(before);
  });

  test("goes back to a moment: what was written before it is there, what came after is not", async () => {
    world.release({ migrationBegan: moment });
    const words = ["--to", "before-migration", "--name", "notes-db-moment", "--no-verify", "--stack", "prod", "--json"];
    const { status, err, result } = await world.run(...words);
    expect(status, err).toBe(0);
    expect(result).toMatchObject({ copy: "notes-db-moment", from: `the moment ${moment.replace(".000", "")}` });
    expect(await rows("instance", "notes-db-moment", "notes")).toBe(201);
    const taken = await world.run("--to", "notes-db-1", "--name", "notes-db-moment", "--stack", "prod");
    expect([taken.status, taken.err]).toEqual([
      2,
      expect.stringContaining("There is another database notes-db-moment"),
    ]);
    const late = await world.run("--to", "2999-01-01T00:00:00Z", "--stack", "prod");
    expect(late.status).toBe(2);
    expect(late.err).toMatch(/FAILED: instance notes-db can be restored to \S+ at the latest/);
  });

  test("makes an Aurora cluster with its instances, each like its model", async () => {
    const { status, err, result } = await world.run("--to", "shop-1", "--no-verify", "--stack", "aurora", "--json");
    expect(status, err).toBe(0);
    expect(result.differences).toEqual([
      expect.objectContaining({ parameter: "Port" }),
      expect.objectContaining({ parameter: `${result.copy}-1: Endpoint.Port` }),
    ]);
    expect(await dumpDatabase(world.connection("cluster", result.copy).adminUrl)).toBe(dump);
    const calls = world
      .trail()
      .filter(({ action }) => /^(Restore|Create|Modify).*(Cluster|CreateDBInstance)/.test(action));
    expect(calls.map(({ action }) => action)).toEqual(["RestoreDBClusterFromSnapshot", "ModifyDBCluster"]);
    const [writer] = world.trail().filter(({ action }) => action === "CreateDBInstance");
    expect(writer!.parameters).toMatchObject({ DBInstanceClass: "db.r8g.large", PromotionTier: 0 });

    const back = await world.run("--to", moment, "--no-verify", "--stack", "aurora", "--json");
    expect(back.status, back.err).toBe(0);
    expect(await rows("cluster", back.result.copy, "orders")).toBe(301);
    expect(world.touching("shop")).toEqual([]);
  });

  test("makes a Multi-AZ DB cluster with class, storage and IOPS, and no instance by itself", async () => {
    const record = readInstance(world.cloudDir, "cluster", "shop")!;
    const multiAz = { Engine: "postgres", DBClusterInstanceClass: "db.m6gd.large", StorageType: "io1", Iops: 1000 };
    writeInstance(world.cloudDir, { ...record, settings: { ...establishedSettings("cluster"), ...multiAz } });
    await world.snapshot("cluster", "shop", "shop-2");
    const created = () => world.trail().filter(({ action }) => action === "CreateDBInstance").length;
    const before = created();
    const { status, err, result } = await world.run("--to", "shop-2", "--no-verify", "--stack", "aurora", "--json");
    expect(status, err).toBe(0);
    expect(result.source).toBe("Multi-AZ DB cluster shop");
    expect(result.differences.map(({ parameter }: any) => parameter)).toEqual(["Port"]);
    expect(await rows("cluster", result.copy, "orders")).toBe(302);
    expect(created()).toBe(before);
    const removed = await world.run("remove", result.copy, "--stack", "aurora");
    expect(removed.status, removed.err).toBe(0);
    writeInstance(world.cloudDir, record);
  });

  test("lists the copies, and removes one with its instances, but no other database", async () => {
    const listed = await world.run("--stack", "aurora", "list");
    const names = listed.out.split("\n").flatMap((line) => /^shop-restored-\S+/.exec(line) ?? []);
    const removed = await world.run("--stack", "aurora", "remove", names[0]!);
    expect(removed.status, removed.err).toBe(0);
    expect(removed.out).toContain(`${names[0]} is gone.`);
    expect(readInstance(world.cloudDir, "cluster", names[0]!)).toBeUndefined();
    for (const [name, reason] of [
      ["shop", "shop is the database of the stack"],
      ["notes-db", "No cluster of that name was made by a restore: notes-db"],
    ] as const) {
      const refused = await world.run("remove", name, "--stack", "aurora");
      expect([refused.status, refused.err]).toEqual([2, expect.stringContaining(reason)]);
    }
    expect(await rows("cluster", "shop", "orders")).toBe(302);
  });

  test("asks for a protected copy to be released from its protection first", async () => {
    const record = readInstance(world.cloudDir, "instance", "notes-db-moment")!;
    writeInstance(world.cloudDir, { ...record, settings: { ...record.settings, DeletionProtection: true } });
    const refused = await world.run("remove", "notes-db-moment", "--stack", "prod");
    expect(refused.status).toBe(2);
    expect(refused.err).toContain("Next: npm run restore -- remove notes-db-moment --unprotect --stack prod");
    expect((await world.run("remove", "notes-db-moment", "--unprotect", "--stack", "prod")).status).toBe(0);
    expect(readInstance(world.cloudDir, "instance", "notes-db-moment")).toBeUndefined();
  });

  test("says which right is missing, and needs none that the documentation doesn't list", async () => {
    const file = `${world.cloudDir}/granted.json`;
    writeAtomically(file, JSON.stringify(["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"]));
    const words = ["--to", "notes-db-1", "--name", "other", "--no-verify", "--stack", "prod"];
    const refused = await world.run(...words);
    expect(refused.status).toBe(69);
    expect(refused.err).toMatch(
      /FAILED: RDS refused RestoreDBInstanceFromDBSnapshot: .*not authorized to perform: rds:RestoreDBInstanceFromDBSnapshot/,
    );
    expect(refused.err).toContain(
      "Next: give the role that action (docs/recovery.md and docs/backup.md list all of them)",
    );
    writeAtomically(file, JSON.stringify(restoreActions()));
    expect((await world.run(...words)).status).toBe(0);
  });

  test.each([
    [["--to", "nothing", "--stack", "prod"], "There is no snapshot nothing of an instance"],
    [["--stack", "elsewhere"], "The credentials belong to AWS account 000000000000"],
  ] as [string[], string][])("%j is refused before anything is made", async (words, message) => {
    const before = world.trail().filter(({ action }) => !action.startsWith("Describe")).length;
    const { status, err } = await world.run(...words);
    expect([status, err]).toEqual([2, expect.stringContaining(message)]);
    expect(world.trail().filter(({ action }) => !action.startsWith("Describe"))).toHaveLength(before);
  });

  test("never made a call that changes a source, in all of the above", () => {
    expect(world.touching("notes-db", "shop")).toEqual([]);
    expect(world.trail().some(({ action }) => action.startsWith("Delete"))).toBe(true);
  });
});
