import assert from "node:assert/strict";
import { failed, serves, succeeded } from "../expect";
import { following, image, type Scenario } from "../scenario";

const BROKEN = 'ALTER TABLE "notes" ADD COLUMN "half" TEXT;\nSELECT no_such_column FROM "notes";\n';

/** Releases that fail by themselves. */
export const failures: Scenario[] = [
  {
    name: "a failing migration: the old version serves, the database is as it was",
    async play(world) {
      const before = world.version;
      world.set("app.image", image(following(world)));
      world.migration("20260402000000_half", BROKEN);
      const release = await world.run("up", "up");
      failed(release);
      assert.match(release.said, /no_such_column/);
      await serves(release, before);
      assert.ok(!(await world.applied()).includes("20260402000000_half"));
      return undefined;
    },
  },
  {
    name: "the same up after repair finishes the release",
    async play(world) {
      world.migration("20260402000000_half", 'ALTER TABLE "notes" ADD COLUMN "half" TEXT;\n');
      const release = await world.run("up", "up");
      succeeded(release);
      await serves(release, world.version);
      return undefined;
    },
  },
  {
    name: "a stuck rollout ends, and the old pods serve",
    async play(world) {
      world.set("app.healthPath", "/never");
      world.set("app.startupTimeout", "5s");
      world.set("app.progressDeadline", "15s");
      const release = await world.run("up", "up");
      failed(release);
      await serves(release, world.version);
      world.set("app.healthPath", undefined);
      succeeded(await world.run("up", "up"));
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "a migration beyond its deadline is ended",
    async play(world) {
      world.set("migrations.deadline", "10s");
      world.set("migrations.connectWait", "5s");
      world.set("migrations.statementTimeout", "10s");
      world.migration("20260403000000_late", "SELECT pg_sleep(8);\nSELECT pg_sleep(8);\nSELECT pg_sleep(8);\n");
      const release = await world.run("up", "up");
      failed(release);
      assert.match(release.said, /DeadlineExceeded|deadline/i);
      world.migration("20260403000000_late", undefined);
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "an image that can't be pulled is waited for no longer than the deadline",
    async play(world) {
      const [before] = [process.env["E2E_NODE_IMAGE"]];
      world.set("migrations.image", "registry.invalid/node:none");
      const release = await world.run("up", "up");
      failed(release);
      assert.match(release.said, /DeadlineExceeded|ErrImagePull|ImagePullBackOff/);
      world.set("migrations.image", before);
      world.set("migrations.deadline", undefined);
      world.set("migrations.statementTimeout", undefined);
      succeeded(await world.run("up", "up"));
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "a migrator that runs out of memory fails the release",
    async play(world) {
      world.set("migrations.resources", '{"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}}');
      const release = await world.run("up", "up");
      failed(release);
      world.set("migrations.resources", undefined);
      succeeded(await world.run("up", "up"));
      return undefined;
    },
  },
];
