import assert from "node:assert/strict";
import { failed, goesOn, serves, succeeded } from "../expect";
import type { Scenario } from "../scenario";
import type { World } from "../world";

/** Releases with a setting that leads to the wrong place: nothing is made, and no snapshot is taken. */
async function refused(world: World, settings: Record<string, string>, told: RegExp): Promise<void> {
  const before = await world.snapshots();
  for (const [key, value] of Object.entries(settings)) world.set(key, value);
  try {
    for (const verb of ["preview", "up"] as const) {
      const release = await world.run(verb, verb);
      failed(release);
      assert.match(release.said, told);
      assert.match(release.said, /Nothing was touched/);
      // The ConfigMaps with the migrations, which no pod uses yet, may be made while RDS is asked.
      assert.deepEqual(
        release.steps.filter(({ op, type }) => op !== "same" && !/^(release|pulumi):|:ConfigMap$/.test(type)),
        [],
      );
      if (verb === "up") await serves(release, world.version);
    }
  } finally {
    for (const key of Object.keys(settings)) world.set(key, key === "database.identifier" ? "notes-db" : undefined);
  }
  assert.deepEqual(await world.snapshots(), before);
}

/** The account, the region and the database that a release reaches, and by which providers. */
export const accounts: Scenario[] = [
  {
    name: "accounts: a release without default providers: every resource and question uses the program's own",
    async play(world) {
      world.set("pulumi:disable-default-providers", '["*"]');
      world.migration("20260420000000_providers", 'ALTER TABLE "notes" ADD COLUMN "providers" TEXT;\n');
      succeeded(await world.run("preview", "preview"));
      await goesOn(world, "20260420000000_providers");
      assert.deepEqual((await world.run("up", "up")).steps, []);
      const own = world.providers().filter((each) => !each.startsWith("pulumi::"));
      assert.deepEqual(own, ["aws::account", "command::machine", "kubernetes::cluster"]);
      world.set("pulumi:disable-default-providers", undefined);
      return undefined;
    },
  },
  {
    name: "accounts: an identifier that RDS doesn't know is refused before the snapshot",
    async play(world) {
      world.migration("20260421000000_place", 'ALTER TABLE "notes" ADD COLUMN "place" TEXT;\n');
      await refused(
        world,
        { "database.identifier": "nowhere-db" },
        /there is no RDS instance nowhere-db in this account/,
      );
      return undefined;
    },
  },
  {
    name: "accounts: a database in another region is refused before the snapshot",
    async play(world) {
      await world.otherDatabase("elsewhere-db", "eu-west-1");
      const settings = { "database.identifier": "elsewhere-db", "aws:region": "us-east-1" };
      await refused(world, settings, /there is no RDS instance elsewhere-db in this account and region/);
      return undefined;
    },
  },
  {
    name: "accounts: credentials of another account are refused before the snapshot",
    async play(world) {
      const settings = { "aws:allowedAccountIds": '["111122223333"]' };
      await refused(world, settings, /belong to account 000000000000, which this stack doesn't allow/);
      return undefined;
    },
  },
  {
    name: "accounts: another database than the one that is migrated is refused before the snapshot, with both endpoints",
    async play(world) {
      const before = await world.snapshots();
      const endpoint = await world.otherDatabase("other-db");
      world.set("database.identifier", "other-db");
      const release = await world.run("up", "up");
      failed(release);
      assert.match(release.said, /leads to another database than the one that the snapshot is taken of/);
      assert.ok(release.said.includes(`the snapshot's database: ${endpoint}`), release.said);
      assert.match(release.said, /the connection: \S+:\d+/);
      assert.deepEqual(await world.snapshots(), before);
      await serves(release, world.version);
      world.set("database.identifier", "notes-db");
      await goesOn(world, "20260421000000_place");
      return undefined;
    },
  },
];
