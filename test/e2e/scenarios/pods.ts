import assert from "node:assert/strict";
import { startLoad } from "../../../local/demo/load";
import { address, failed, goesOn, serves, succeeded } from "../expect";
import { injectInto } from "../injector";
import { kubectl, list } from "../kubectl";
import { mergesAsKubernetes } from "../merges";
import { evictMigrationPod, migrationRuns } from "../migration-pod";
import { type Scenario, slow } from "../scenario";
import type { World } from "../world";

const TOLERATIONS = [{ key: "team", operator: "Equal", value: "notes", effect: "NoSchedule" }];
const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

/** A container that runs until it is told to end. */
const sidecar = (name: string) => ({
  name,
  image: process.env["E2E_NODE_IMAGE"],
  command: ["node", "-e", "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)"],
  securityContext: RESTRICTED,
});

/** What a team's own pods need, and what happens to pods. */
export const pods: Scenario[] = [
  {
    name: "pods: 100 random fragments are merged as kubectl merges them",
    async play() {
      const seed = Date.now();
      await mergesAsKubernetes(100, seed);
      return `seed ${seed}`;
    },
  },
  {
    name: "pods: tolerations on a tainted node, for the Jobs and for the app, without a failed request",
    async play(world) {
      const [node] = await list("default", "nodes");
      const taint = (effect: string) =>
        kubectl(["taint", "node", node.metadata.name, `team=notes:${effect}`, "--overwrite"]);
      await taint("NoSchedule");
      try {
        world.set("migrations.deadline", "10s");
        world.set("migrations.connectWait", "5s");
        world.set("migrations.statementTimeout", "10s");
        const without = await world.run("up", "up");
        failed(without);
        assert.match(without.said, /DeadlineExceeded/);
        await serves(without, world.version);
        for (const key of ["deadline", "connectWait", "statementTimeout"]) world.set(`migrations.${key}`, undefined);

        world.set("app.pod", JSON.stringify({ spec: { tolerations: TOLERATIONS } }));
        world.set("migrations.pod", JSON.stringify({ spec: { tolerations: TOLERATIONS } }));
        return await underLoad(world, async () => succeeded(await world.run("up", "up")));
      } finally {
        await taint("NoSchedule-");
      }
    },
  },
  {
    name: "pods: a sidecar beside the migration that never ends by itself ends with the Job, and a plain one is refused",
    async play(world) {
      world.migration("20260411000000_sidecar", 'ALTER TABLE "notes" ADD COLUMN "sidecar" TEXT;\n');
      world.set("migrations.pod", JSON.stringify({ spec: { containers: [sidecar("proxy")] } }));
      const plain = await world.run("up", "up");
      failed(plain);
      assert.match(plain.said, /migrations\.pod\.spec\.containers\.0\.name.*restartPolicy: Always/);
      assert.deepEqual(plain.steps, []);

      const native = { ...sidecar("proxy"), restartPolicy: "Always" };
      world.set("migrations.pod", JSON.stringify({ spec: { initContainers: [native] } }));
      await goesOn(world, "20260411000000_sidecar");
      const pod = (await list(world.namespace, "pods")).find(({ metadata }) => metadata.name.includes("-migrate-"));
      assert.equal(pod.status.phase, "Succeeded");
      assert.ok(pod.status.initContainerStatuses[0].state.terminated, "the sidecar should have ended");
      world.set("migrations.pod", undefined);
      return undefined;
    },
  },
  {
    name: "pods: a container that a webhook adds keeps the preflight Job from ending: up names it, and goes on without it",
    async play(world) {
      world.migration("20260411100000_injected", 'ALTER TABLE "notes" ADD COLUMN "injected" TEXT;\n');
      const remove = await injectInto(world.namespace, sidecar("mesh-proxy"));
      try {
        let told = false;
        const release = await world.run("up", "up", {
          onSaid(text) {
            if (!/can't end: its migrator has ended, and mesh-proxy goes on/.test(text)) return;
            told = true;
            world.interrupt();
          },
        });
        failed(release);
        assert.ok(told, `nobody named the container: ${release.said}`);
        await serves(release, world.version);
        assert.ok(!(await world.applied()).includes("20260411100000_injected"));

        world.set("migrations.pod", JSON.stringify({ metadata: { labels: { "e2e-inject": "false" } } }));
        await goesOn(world, "20260411100000_injected");
        return `named after ${release.seconds.toFixed(0)} s`;
      } finally {
        world.set("migrations.pod", undefined);
        await remove();
      }
    },
  },
  {
    name: "pods: envFrom and a volume with a certificate authority reach the app and the migrator",
    async play(world) {
      for (const [name, data] of [
        ["notes-flags", { FLAG_A: "on" }],
        ["company-ca", { "ca.crt": "-----BEGIN CERTIFICATE-----" }],
      ] as const) {
        const metadata = { name, namespace: world.namespace };
        await kubectl(
          ["apply", "--filename", "-"],
          JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data }),
        );
      }
      const pod = (name: string) =>
        JSON.stringify({
          metadata: { labels: { team: "notes" } },
          spec: {
            volumes: [{ name: "ca", configMap: { name: "company-ca" } }],
            containers: [
              {
                name,
                envFrom: [{ configMapRef: { name: "notes-flags" } }],
                volumeMounts: [{ name: "ca", mountPath: "/certs", readOnly: true }],
              },
            ],
          },
        });
      world.set("app.pod", pod("app"));
      world.set("migrations.pod", pod("migrator"));
      const measured = await underLoad(world, async () => {
        const release = await world.run("up", "up");
        succeeded(release);
        await serves(release, world.version);
      });
      const script = "console.log(process.env.FLAG_A, require('fs').readFileSync('/certs/ca.crt', 'utf8'))";
      const said = await kubectl([
        "exec",
        "--namespace",
        world.namespace,
        "deployment/notes",
        "--",
        "node",
        "-e",
        script,
      ]);
      assert.match(said, /^on -----BEGIN CERTIFICATE-----/);
      const job = (await list(world.namespace, "pods")).find(({ metadata }) => metadata.name.includes("-migrate-"));
      assert.equal(job.metadata.labels.team, "notes");
      assert.equal(job.status.phase, "Succeeded");
      world.set("app.pod", undefined);
      world.set("migrations.pod", undefined);
      succeeded(await world.run("up", "up"));
      await kubectl(["delete", "configmaps", "notes-flags", "company-ca", "--namespace", world.namespace]);
      return measured;
    },
  },
  {
    name: "pods: the migration's pod evicted: up says so with the next command, and the next up goes on",
    async play(world) {
      world.migration("20260412000000_evicted", slow("evicted"));
      let evicted = "";
      const release = await world.run("up", "up", {
        at: migrationRuns,
        async act() {
          evicted = await evictMigrationPod(world);
        },
      });
      failed(release);
      assert.notEqual(evicted, "");
      assert.match(
        release.said,
        /Its pod was (evicted|deleted while it ran: by an eviction, as when a node is drained)/,
      );
      assert.match(release.said, /Next: .*run the same `up` again: it goes on from what is there/);
      await serves(release, world.version);
      await goesOn(world, "20260412000000_evicted");
      return `ended after ${release.seconds.toFixed(0)} s`;
    },
  },
];

/** Does something while the app gets requests; none of them may fail. */
async function underLoad(world: World, act: () => Promise<void>): Promise<string> {
  const load = startLoad({ url: await address(world), connections: 4, rate: 40 });
  try {
    await act();
  } finally {
    await load.stop();
  }
  assert.deepEqual(load.failures(), []);
  return `${load.counts().answered} requests, ${load.counts().failed} failed`;
}
