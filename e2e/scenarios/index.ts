import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startLoad } from "../local/demo/load";
import type { StepEvent } from "../local/engine/events";
import { kubectl, list } from "./kubectl";
import type { Release, World } from "./world";

/** One thing that must hold on a real cluster. They are played in this order, in one namespace. */
export interface Scenario {
  name: string;
  play(world: World): Promise<string | undefined>;
  /** What this scenario needs besides, from the environment. */
  needs?: string;
}

const GOOD = 'ALTER TABLE "notes" ADD COLUMN "colour" TEXT;\n';
const BROKEN = 'ALTER TABLE "notes" ADD COLUMN "half" TEXT;\nSELECT no_such_column FROM "notes";\n';
const slow = (column: string) => `SELECT pg_sleep(20);\nALTER TABLE "notes" ADD COLUMN "${column}" TEXT;\n`;

/** No wait of a scenario may be longer: a release that hangs is what they are to find. */
const BOUND_SECONDS = 240;
const REQUESTS = 10_000;

const image = (version: string) => `${process.env.E2E_APP_IMAGE}:${version}`;

export const scenarios: Scenario[] = [
  {
    name: "preview needs no more than its role, and changes nothing",
    async play(world) {
      const release = await world.run("preview", "preview");
      succeeded(release);
      assert.deepEqual(await list(world.namespace, "deployments"), []);
      return undefined;
    },
  },
  {
    name: "first release, under Pod Security restricted and with the role for up alone",
    async play(world) {
      const release = await world.run("up", "up");
      succeeded(release);
      await serves(release, "1.0.0");
      return `${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "the same again: nothing to do",
    async play(world) {
      const release = await world.run("up", "up");
      succeeded(release);
      assert.deepEqual(release.steps, []);
      return `${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "the role for preview can't release",
    async play(world) {
      world.set("app.image", image("1.1.0"));
      const release = await world.run("up", "preview");
      failed(release);
      assert.match(release.said, /forbidden/i);
      await serves(release, "1.0.0");
      return undefined;
    },
  },
  {
    name: `a good migration and a rolling update under load: at least ${REQUESTS} requests, none failed`,
    async play(world) {
      world.migration("20260401000000_colour", GOOD);
      const { result } = await world.run("preview", "up");
      const load = startLoad({ url: String(await address(world)), rate: 400 });
      assert.ok(result.ok);
      const release = await world.run("up", "up");
      await until(() => load.counts().answered >= REQUESTS, BOUND_SECONDS);
      await load.stop();
      succeeded(release);
      assert.deepEqual(load.failures(), []);
      await serves(release, "1.1.0");
      return `${load.counts().answered} requests, ${load.counts().failed} failed, longest ${load.latency().longest} ms`;
    },
  },
  {
    name: "a failing migration: the old version serves, the database is as it was",
    async play(world) {
      world.set("app.image", image("1.2.0"));
      world.migration("20260402000000_half", BROKEN);
      const release = await world.run("up", "up");
      failed(release);
      assert.match(release.said, /no_such_column/);
      await serves(release, "1.1.0");
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
      await serves(release, "1.2.0");
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
      await serves(release, "1.2.0");
      world.set("app.healthPath", undefined);
      succeeded(await world.run("up", "up"));
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "a migration beyond its deadline is ended",
    async play(world) {
      world.set("migrations.deadline", "10s");
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
      const [before] = [process.env.E2E_NODE_IMAGE];
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
  {
    name: "the Job deleted by hand during the migration: nothing rolls out, and the next up goes on",
    async play(world) {
      // Pulumi notices no Job that is gone: it waits as long as it would have waited for the Job's end, its deadline and two minutes.
      world.set("migrations.deadline", "60s");
      world.set("migrations.statementTimeout", "60s");
      world.migration("20260404000000_a", slow("a"));
      const release = await world.run(
        "up",
        "up",
        once(migrationRuns, () => removeJob(world)),
      );
      failed(release);
      await goesOn(world, "20260404000000_a");
      return undefined;
    },
  },
  {
    name: "the pod deleted during the migration: nothing rolls out, and the next up goes on",
    async play(world) {
      world.migration("20260405000000_b", slow("b"));
      const release = await world.run(
        "up",
        "up",
        once(migrationRuns, () => removePod(world)),
      );
      failed(release);
      await goesOn(world, "20260405000000_b");
      return undefined;
    },
  },
  {
    name: "the API server restarted during up",
    needs: "E2E_RESTART_API_SERVER",
    async play(world) {
      world.migration("20260406000000_c", slow("c"));
      const restart = async () => {
        await podRuns(world);
        await promisify(execFile)("/bin/sh", ["-c", process.env.E2E_RESTART_API_SERVER!]);
      };
      const release = await world.run("up", "up", once(migrationRuns, restart));
      if (!release.result.ok) await goesOn(world, "20260406000000_c");
      assert.ok((await world.applied()).includes("20260406000000_c"));
      return release.result.ok ? "up waited it out" : "up failed, the next one went on";
    },
  },
  {
    name: "destroy with the role for up leaves nothing in the namespace but the Secret",
    async play(world) {
      const release = await world.run("destroy", "up");
      succeeded(release);
      for (const kind of ["deployments", "jobs", "services", "poddisruptionbudgets"]) {
        assert.deepEqual(await list(world.namespace, kind), [], kind);
      }
      return undefined;
    },
  },
];

function succeeded({ result, said }: Release): void {
  assert.ok(result.ok, said);
}

function failed({ result, seconds }: Release): void {
  assert.ok(!result.ok, "it should have failed");
  assert.ok(seconds < BOUND_SECONDS, `it took ${seconds} s`);
}

async function goesOn(world: World, migration: string): Promise<void> {
  succeeded(await world.run("up", "up"));
  assert.equal((await world.applied()).filter((name) => name === migration).length, 1);
}

/** A pod that is leaving still answers for a moment, as it should. */
async function serves({ result }: Release, version: string): Promise<void> {
  let said = "";
  const answers = async () => {
    const answer = await fetch(`${result.outputs.url}/health`, { signal: AbortSignal.timeout(10_000) });
    said = await answer.text();
    return (JSON.parse(said) as { version: string }).version === version;
  };
  await until(answers, 60).catch((error: Error) => assert.fail(`${error.message}: the app answers ${said}`));
}

async function address(world: World): Promise<string> {
  const [service] = await list(world.namespace, "services");
  const [node] = await list("default", "nodes");
  const host = node.status.addresses.find((each: { type: string }) => each.type === "InternalIP").address;
  return `http://${host}:${service.spec.ports[0].nodePort}`;
}

const migrationRuns = ({ type, name, status }: StepEvent) =>
  status === "started" && type.endsWith(":Job") && name.includes("-migrate-");

/** Calls the work at the first such step; what goes wrong in it ends the whole run. */
function once(when: (step: StepEvent) => boolean, work: () => Promise<void>): (step: StepEvent) => void {
  let done = false;
  return (step) => {
    if (done || !when(step)) return;
    done = true;
    void work();
  };
}

async function podRuns(world: World): Promise<string> {
  let name: string | undefined;
  await until(async () => {
    const pods = await list(world.namespace, "pods");
    const pod = pods.find(
      ({ metadata, status }) =>
        metadata.name.includes("-migrate-") && status.phase === "Running" && !metadata.deletionTimestamp,
    );
    name = pod?.metadata.name;
    return name !== undefined;
  }, 60);
  return name!;
}

async function removeJob(world: World): Promise<void> {
  const pod = await podRuns(world);
  const job = pod.slice(0, pod.lastIndexOf("-"));
  await kubectl(["delete", "job", job, "--namespace", world.namespace, "--wait=false"]);
}

async function removePod(world: World): Promise<void> {
  await kubectl(["delete", "pod", await podRuns(world), "--namespace", world.namespace, "--wait=false"]);
}

async function until(condition: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `it did not come about within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
