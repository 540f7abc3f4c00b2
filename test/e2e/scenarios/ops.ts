import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../expect";
import { kubectl, list } from "../kubectl";
import { migrationRuns } from "../migration-pod";
import { type Scenario, slow } from "../scenario";
import type { World } from "../world";

/** Work by hand in the cluster, with `npm run ops` and the rights of rbac/ops.yaml. */
export const ops: Scenario[] = [
  {
    name: "ops: status, drift, compare and verify run in the cluster and leave nothing behind",
    async play(world) {
      const seconds: string[] = [];
      for (const [verb, said] of [
        ["status", /applied, 0 pending/],
        ["drift", /No drift/],
        ["verify", /Verified/],
        ["compare", /Since release/],
      ] as const) {
        const began = Date.now();
        const run = world.ops(verb);
        assert.equal(await run.ended, 0, run.said());
        assert.match(run.said(), said);
        assert.match(run.said(), /It only reads the database\./);
        await nothingLeft(world);
        seconds.push(`${verb} ${((Date.now() - began) / 1000).toFixed(1)} s`);
      }
      return seconds.join(", ");
    },
  },
  {
    name: "ops: sql runs a file in one transaction with its audit, and rolls a failing one back",
    async play(world) {
      const before = await world.applied();
      const good = world.ops("sql", file(world, "good.sql", "UPDATE notes SET subject = subject || '!' WHERE id < 0;"));
      assert.equal(await good.ended, 0, good.said());
      assert.match(good.said(), /It changes the database: it runs it in one transaction/);
      const bad = world.ops("sql", file(world, "bad.sql", "CREATE TABLE by_ops (id int);\nSELECT no_such_column;\n"));
      assert.equal(await bad.ended, 5, bad.said());
      assert.match(bad.said(), /bad\.sql:2[\s\S]*Database: rolled back/);
      assert.match(bad.said(), /Next: correct bad\.sql, then: npm run ops -- sql \S*bad\.sql --stack local/);
      const left = await world.query("SELECT relname::text AS text FROM pg_class WHERE relname = 'by_ops'");
      assert.deepEqual(left, []);
      const audit = "SELECT event || ' ' || migration AS text FROM _release.audit WHERE event LIKE 'sql.%' ORDER BY id";
      assert.deepEqual(await world.query(audit), ["sql.applied good.sql", "sql.failed bad.sql"]);
      assert.deepEqual(await world.applied(), before);
      await nothingLeft(world);
      return undefined;
    },
  },
  {
    name: "ops: Ctrl-C cancels the statement in the database and leaves nothing behind",
    async play(world) {
      const run = world.ops("sql", file(world, "slow.sql", "CREATE TABLE by_ops (id int);\nSELECT pg_sleep(300);\n"));
      const sleeping =
        "SELECT query AS text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()";
      await until(async () => (await world.query(sleeping)).length > 0, 60).catch((e) =>
        assert.fail(`${e.message}: ${run.said()}`),
      );
      await until(() => /line 1: CREATE TABLE/.test(run.said()), 60);
      run.child.kill("SIGINT");
      const began = Date.now();
      assert.equal(await run.ended, 130, run.said());
      assert.match(run.said(), /FAILED \(stopped\): Stopped by SIGTERM/);
      assert.deepEqual(await world.query(sleeping), []);
      assert.deepEqual(await world.query("SELECT relname::text AS text FROM pg_class WHERE relname = 'by_ops'"), []);
      await nothingLeft(world);
      return `gone after ${((Date.now() - began) / 1000).toFixed(1)} s`;
    },
  },
  {
    name: "ops: a Job that a killed ops left is named while it runs, and removed when it has ended",
    async play(world) {
      const run = world.ops("sql", file(world, "left.sql", "SELECT pg_sleep(4);"));
      await until(() => /line 1: SELECT pg_sleep/.test(run.said()), 60).catch((e) =>
        assert.fail(`${e.message}: ${run.said()}`),
      );
      run.child.kill("SIGKILL");
      await run.ended;
      const next = world.ops("status");
      assert.equal(await next.ended, 0, next.said());
      assert.match(next.said(), /Job notes-ops-sql-\w+ of another `ops` runs since/);
      const [job] = await opsObjects(world, "jobs");
      assert.ok(job, "the Job of the killed ops should be there");
      assert.equal(job.spec.ttlSecondsAfterFinished, 3600);
      await kubectl(["delete", "job", job.metadata.name, "--namespace", world.namespace]);
      await nothingLeft(world);
      return undefined;
    },
  },
  {
    name: "ops: what changes the database is refused while a migration runs, and a failed Job names ops",
    async play(world) {
      world.migration("20260420000000_ops", slow("ops"));
      let refused = "";
      const release = await world.run("up", "up", {
        at: migrationRuns,
        async act() {
          await until(async () => (await list(world.namespace, "jobs")).some(isMigration), 60).catch((e) =>
            assert.fail(`${e.message}: ${run.said()}`),
          );
          const run = world.ops("sql", file(world, "beside.sql", "SELECT 1;"));
          assert.equal(await run.ended, 6, run.said());
          refused = run.said();
          const status = world.ops("status");
          assert.equal(await status.ended, 10, status.said());
        },
      });
      assert.ok(release.result.ok, release.said);
      assert.match(refused, /A release is running: Job notes-migrate-/);
      await world.query(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('half', 'x', '20260421000000_half') RETURNING id AS text",
      );
      world.migration("20260422000000_next", "SELECT 1;");
      const failed = await world.run("up", "up");
      assert.ok(!failed.result.ok);
      const command = /npm run ops -- (resolve) (--diagnose) (20260421000000_half) --stack local/.exec(failed.said);
      assert.ok(command, failed.said);
      const diagnosed = world.ops(...command.slice(1));
      assert.equal(await diagnosed.ended, 0, diagnosed.said());
      const resolve = /npm run ops -- (resolve) (--rolled-back) (20260421000000_half) --stack local/.exec(
        diagnosed.said(),
      );
      assert.ok(resolve, diagnosed.said());
      const resolved = world.ops(...resolve.slice(1));
      assert.equal(await resolved.ended, 0, resolved.said());
      assert.ok((await world.run("up", "up")).result.ok);
      return undefined;
    },
  },
  {
    name: "ops: an image that can't be pulled is told as such, and leaves nothing behind",
    async play(world) {
      world.set("migrations.image", "registry.invalid/node:22");
      const run = world.ops("status");
      assert.equal(await run.ended, 69, run.said());
      assert.match(run.said(), /The cluster can't run the Job: .*(ImagePullBackOff|ErrImageNeverPull)/);
      await nothingLeft(world);
      world.set("migrations.image", process.env["E2E_NODE_IMAGE"]);
      return undefined;
    },
  },
];

const isMigration = ({ metadata, status }: any) => metadata.name.includes("-migrate-") && (status.active ?? 0) > 0;

function file(world: World, name: string, sql: string): string {
  const path = join(world.migrations, "..", name);
  writeFileSync(path, sql);
  return path;
}

async function opsObjects(world: World, kind: string): Promise<any[]> {
  const all = await list(world.namespace, kind);
  return all.filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "ops");
}

/** Deletion is asked for and not waited for, so that objects may be there for a moment. */
async function nothingLeft(world: World): Promise<void> {
  for (const kind of ["jobs", "configmaps", "pods"])
    await until(async () => (await opsObjects(world, kind)).length === 0, 40);
}
