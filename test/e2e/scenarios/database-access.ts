import assert from "node:assert/strict";
import { serves, succeeded, until } from "../expect";
import { kubectl, list } from "../kubectl";
import type { Scenario } from "../scenario";
import type { World } from "../world";

/** The app of the example reads a URL; this is what another one would do with libpq's variables by itself. */
const WITH_PARTS = [
  "node",
  "--input-type=module",
  "-e",
  "const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env;" +
    "const [user, password, name] = [PGUSER, PGPASSWORD, PGDATABASE].map(encodeURIComponent);" +
    "process.env.DATABASE_URL = ['postgresql://', user, ':', password, '@', PGHOST, ':', PGPORT, '/', name].join('');" +
    "process.argv[1] = 'server.mjs'; await import(process.cwd() + '/server.mjs');",
];

/** Makes the two Secrets that External Secrets would make, of the URLs in the one that is there. */
async function splitSecrets(world: World): Promise<{ host: string; port: string }> {
  const secret = JSON.parse(
    await kubectl(["get", "secret", "notes-database", "--namespace", world.namespace, "--output", "json"]),
  );
  const urlOf = (key: string) => new URL(Buffer.from(secret.data[key], "base64").toString());
  for (const [name, key] of [
    ["split-app", "url"],
    ["split-migration", "direct-url"],
  ] as const) {
    const { username, password, pathname } = urlOf(key);
    const stringData = { username, password: decodeURIComponent(password), dbname: pathname.slice(1) };
    const object = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: world.namespace }, stringData };
    await kubectl(["apply", "--filename", "-"], JSON.stringify(object));
  }
  const { hostname, port } = urlOf("url");
  return { host: hostname, port };
}

const appPods = async (world: World) =>
  (await list(world.namespace, "pods")).filter(
    ({ metadata }) => metadata.labels["app.kubernetes.io/component"] === "app" && !metadata.deletionTimestamp,
  );
const isReady = (pod: any) =>
  (pod.status.conditions ?? []).some(
    ({ type, status }: { type: string; status: string }) => type === "Ready" && status === "True",
  );
const scale = (world: World, replicas: number) =>
  kubectl(["scale", "deployment", "notes", `--replicas=${replicas}`, "--namespace", world.namespace]);

/** How a release finds its database, and how a pod finds out whether it is the right one. */
export const databaseAccess: Scenario[] = [
  {
    name: "split secrets: a release with a Secret of separate values for each role, and the host in the settings",
    async play(world) {
      const { host, port } = await splitSecrets(world);
      const before = world.remember();
      world.set("app.command", JSON.stringify(WITH_PARTS));
      world.set("database.host", host);
      world.set("database.port", port);
      world.set("database.secret", '{"name": "split-app", "passwordKey": "password", "nameKey": "dbname"}');
      world.set("database.migration", '{"secret": {"name": "split-migration"}}');
      world.migration("20260601000000_split", 'ALTER TABLE "notes" ADD COLUMN "split" TEXT;\n');
      const release = await world.run("up", "up");
      succeeded(release);
      await serves(release, world.version);
      assert.ok((await world.applied()).includes("20260601000000_split"));
      before();
      return undefined;
    },
  },
  {
    name: "schema gate: a pod that is started on an older database waits until it is migrated, and the others serve",
    async play(world) {
      world.set("app.schemaGate", "true");
      const release = await world.run("up", "up");
      succeeded(release);
      await serves(release, world.version);
      const pods = await appPods(world);
      for (const pod of pods) assert.equal(pod.status.initContainerStatuses[0].state.terminated.exitCode, 0);
      const [{ terminated }] = pods.map(({ status }) => status.initContainerStatuses[0].state);
      const waited = (Date.parse(terminated.finishedAt) - Date.parse(terminated.startedAt)) / 1000;

      // The history is now as an older snapshot has it.
      const last = "20260601000000_split";
      const set = (rolledBack: string) =>
        world.query(
          `UPDATE _prisma_migrations SET rolled_back_at = ${rolledBack} WHERE migration_name = '${last}' RETURNING migration_name AS text`,
        );
      assert.deepEqual(await set("now()"), [last]);
      await scale(world, pods.length + 1);
      let waiting: any;
      await until(async () => {
        waiting = (await appPods(world)).find(({ status }) => status.initContainerStatuses?.[0]?.state.running);
        return waiting !== undefined;
      }, 60);
      await until(
        async () =>
          (
            await kubectl(["logs", waiting.metadata.name, "-c", "schema-gate", "--namespace", world.namespace])
          ).includes(`for 1 migration: ${last}`),
        60,
      );
      await serves(release, world.version);
      assert.equal((await appPods(world)).filter(isReady).length, pods.length);

      await set("NULL");
      await until(async () => (await appPods(world)).filter(isReady).length === pods.length + 1, 60);
      await scale(world, pods.length);

      world.set("app.schemaGate", undefined);
      succeeded(await world.run("up", "up"));
      // The program stays for pods of older revisions, until somebody removes it.
      const files = (await list(world.namespace, "configmaps")).filter(
        ({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "schema-gate",
      );
      assert.equal(files.length, 1);
      await kubectl(["delete", "configmap", files[0].metadata.name, "--namespace", world.namespace]);
      return `the gate of a pod ended within ${waited.toFixed(0)} s`;
    },
  },
];
