import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { failed, goesOn, serves, succeeded } from "../expect";
import { list } from "../kubectl";
import { deleteMigrationJob, deleteMigrationPod, migrationPod, migrationRuns } from "../migration-pod";
import { type Scenario, slow } from "../scenario";

/** Somebody, or something, interferes while a migration runs. */
export const interventions: Scenario[] = [
  {
    name: "the Job deleted by hand during the migration: up says so, one interrupt ends it, and the next up goes on",
    async play(world) {
      world.set("migrations.deadline", "30s");
      world.set("migrations.connectWait", "5s");
      world.set("migrations.statementTimeout", "30s");
      world.migration("20260404000000_a", slow("a"));
      let told = false;
      const release = await world.run("up", "up", {
        at: migrationRuns,
        act: () => deleteMigrationJob(world),
        // Pulumi itself waits for ever (docs/conformance.md); the program knows the deadline.
        onSaid(text) {
          if (!/Somebody probably deleted it/.test(text)) return;
          told = true;
          world.interrupt();
        },
      });
      failed(release);
      assert.ok(told, `nobody said that the Job is overdue: ${release.said}`);
      await serves(release, world.version);
      assert.ok(!(await world.applied()).includes("20260404000000_a"), "the migration should have ended with its pod");
      await goesOn(world, "20260404000000_a");
      world.set("migrations.deadline", undefined);
      world.set("migrations.statementTimeout", undefined);
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "the pod deleted during the migration: nothing rolls out, and the next up goes on",
    async play(world) {
      world.migration("20260405000000_b", slow("b"));
      const release = await world.run("up", "up", { at: migrationRuns, act: () => deleteMigrationPod(world) });
      failed(release);
      await serves(release, world.version);
      await goesOn(world, "20260405000000_b");
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "the API server restarted during the migration: applied once, by this up or the next",
    needs: "E2E_RESTART_API_SERVER",
    async play(world) {
      world.migration("20260406000000_c", slow("c"));
      const release = await world.run("up", "up", {
        at: migrationRuns,
        async act() {
          await migrationPod(world);
          await promisify(execFile)("/bin/sh", ["-c", process.env["E2E_RESTART_API_SERVER"]!]);
        },
      });
      assert.ok(!release.overdue, release.said);
      await goesOn(world, "20260406000000_c");
      return release.result.ok ? "up waited it out" : "up failed, the next one went on";
    },
  },
  {
    name: "up killed during the migration: the next up takes over the Job that it left running",
    async play(world) {
      world.migration("20260407000000_d", slow("d"));
      let left: string | undefined;
      await world.run("up", "up", {
        at: migrationRuns,
        async act() {
          left = await migrationPod(world);
          world.kill();
        },
      });
      // Still running, and in no state: the killed `up` could not record it.
      assert.equal(await migrationPod(world), left);
      const next = await world.run("up", "up");
      succeeded(next);
      const steps = next.steps.filter(({ type, status }) => type.endsWith(":Job") && status === "succeeded");
      assert.deepEqual(
        steps.filter(({ op }) => op === "create").map(({ name }) => left?.startsWith(name)),
        [true],
        `it should have taken the Job over: ${steps.map(({ op, name }) => `${op} ${name}`)}`,
      );
      const pods = (await list(world.namespace, "pods")).map(({ metadata }) => metadata.name as string);
      assert.ok(left && pods.includes(left), `another pod ran the migration: ${pods}`);
      assert.deepEqual((await world.run("up", "up")).steps, []);
      await goesOn(world, "20260407000000_d");
      return undefined;
    },
  },
  {
    name: "up killed, and the migration fails meanwhile: the next up fails too, the one after it says why, repair goes on",
    async play(world) {
      world.migration("20260408000000_e", "SELECT pg_sleep(5);\nSELECT no_such_column;\n");
      await world.run("up", "up", {
        at: migrationRuns,
        async act() {
          await migrationPod(world);
          world.kill();
        },
      });
      // The Job has failed; Pulumi does not ask its pod any more.
      const next = await world.run("up", "up");
      failed(next);
      assert.match(next.said, /BackoffLimitExceeded/);
      await serves(next, world.version);
      const again = await world.run("up", "up");
      failed(again);
      assert.match(again.said, /no_such_column/);
      world.migration("20260408000000_e", 'ALTER TABLE "notes" ADD COLUMN "e" TEXT;\n');
      await goesOn(world, "20260408000000_e");
      return undefined;
    },
  },
  {
    name: "up killed during the rollout: the next up finishes it",
    async play(world) {
      world.set("app.env", '{"LOG_LEVEL": "debug"}');
      await world.run("up", "up", {
        at: ({ type, status }) => status === "started" && type.endsWith(":Deployment"),
        act: async () => world.kill(),
      });
      const next = await world.run("up", "up");
      succeeded(next);
      await serves(next, world.version);
      assert.deepEqual((await world.run("up", "up")).steps, []);
      return undefined;
    },
  },
  {
    name: "the CLI's record of the stack left empty by a kill: the next up goes on from the copy beside it, and says so",
    async play(world) {
      world.set("app.env", '{"LOG_LEVEL": "info"}');
      succeeded(await world.run("up", "up"));
      world.emptyCheckpoint();
      const next = await world.run("up", "up");
      succeeded(next);
      assert.match(next.said, /was damaged by a command that was killed.*\.bak/);
      await serves(next, world.version);
      assert.deepEqual((await world.run("up", "up")).steps, []);
      return undefined;
    },
  },
];
