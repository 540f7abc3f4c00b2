import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { KEYS } from "../../backup/pod";
import { serves, succeeded } from "../expect";
import { kubectl, list } from "../kubectl";
import type { Scenario } from "../scenario";
import type { World } from "../world";

/** The image with `pg_dump`, of the major version of the local RDS or newer. */
const IMAGE = "E2E_POSTGRES_IMAGE";

const [KEY] = KEYS;

/** Backups and the way back, where the pods are those of a real cluster. */
export const recovery: Scenario[] = [
  {
    name: "dump: a release stores an encrypted dump on a volume before its migration",
    needs: IMAGE,
    async play(world) {
      await makeVolume(world);
      world.set("backup.mode", "dump");
      world.set("backup.restore", "");
      world.set("backup.image", process.env[IMAGE]);
      world.set("backup.dump", `{claim: notes-backups, recipients: [${KEY.recipient}]}`);
      world.migration("20260501000000_dump", 'ALTER TABLE "notes" ADD COLUMN "dumped" TEXT;\n');
      const release = await world.run("up", "up");
      succeeded(release);
      await serves(release, world.version);
      const backup = release.result.outputs["backup"] as { kind: string; id: string };
      assert.equal(backup.kind, "dump");
      const manifest = JSON.parse(readFileSync(`${world.volume}/${backup.id}.manifest.json`, "utf8"));
      assert.equal(readFileSync(`${world.volume}/${manifest.file}`).length, manifest.fileBytes);
      assert.doesNotMatch(manifest.migrations.last, /dump/);
      return `${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "dump: it is restored beside the database, and its key is gone from the cluster",
    needs: IMAGE,
    async play(world) {
      const began = Date.now();
      const run = world.restore("--identity", identityOf(world));
      assert.equal(await run.ended, 0, run.said());
      const [copy] = await copies(world);
      assert.ok(copy, run.said());
      assert.match(run.said(), new RegExp(`To move the app to it: .* switch ${copy} --plan`));
      const secrets = (await list(world.namespace, "secrets")).map(({ metadata }) => metadata.name);
      assert.deepEqual(secrets, ["notes-database"]);
      assert.deepEqual(await opsJobs(world), []);
      return `${((Date.now() - began) / 1000).toFixed(0)} s`;
    },
  },
  {
    name: "dump: the app moves to the restored database as one release, and back",
    needs: IMAGE,
    async play(world) {
      const [copy = ""] = await copies(world);
      const before = world.version;
      const began = Date.now();
      // The CLI of this test has its settings on its command line, so that `up` is run by it.
      const there = world.restore("switch", copy, "--accept-loss", "--no-up");
      assert.equal(await there.ended, 0, there.said());
      assert.deepEqual(await podsOfApp(world), []);
      const former = world.remember();
      for (const [key, value] of settingsIn(there.said())) world.set(key, value);
      const release = await world.run("up", "up");
      succeeded(release);
      const stopped = ((Date.now() - began) / 1000).toFixed(0);
      await serves(release, world.version);
      assert.equal(
        (release.result.outputs["migrations"] as { last: string }).last,
        "20260309090000_contract_note_title",
      );
      const again = world.restore("switch", copy, "--accept-loss", "--no-up");
      assert.equal(await again.ended, 0, again.said());
      const unchanged = await world.run("up", "up");
      succeeded(unchanged);
      assert.deepEqual(unchanged.steps, []);

      const back = world.restore("switch-back", "--accept-loss", "--no-up");
      assert.equal(await back.ended, 0, back.said());
      former();
      const returned = await world.run("up", "up");
      succeeded(returned);
      await serves(returned, before);
      const ended = world.restore("switch-back", "--accept-loss", "--no-up");
      assert.equal(await ended.ended, 0, ended.said());
      const removed = world.restore("remove", copy, "--unprotect");
      assert.equal(await removed.ended, 0, removed.said());
      assert.deepEqual(await copies(world), []);
      return `${stopped} s without pods`;
    },
  },
];

/** Writes the private key, which is never in the cluster, into a file. */
function identityOf({ volume }: World): string {
  const file = `${volume}.key`;
  writeFileSync(file, KEY.identity, { mode: 0o600 });
  return file;
}

/** The names of the databases that a restore has made. */
function copies(world: World): Promise<string[]> {
  return world.query("SELECT datname::text AS text FROM pg_database WHERE datname LIKE '%_restored_%'");
}

async function opsJobs({ namespace }: World): Promise<string[]> {
  const jobs = await list(namespace, "jobs");
  return jobs.map(({ metadata }) => metadata.name as string).filter((name) => name.includes("-ops-"));
}

async function podsOfApp({ namespace }: World): Promise<string[]> {
  const pods = await list(namespace, "pods");
  return pods.map(({ metadata }) => metadata.name as string).filter((name) => /^notes-[0-9a-f]+-\w{5}$/.test(name));
}

/** The settings that a switch asks for, of its command `pulumi config set-all`. */
function settingsIn(said: string): [key: string, value: string][] {
  const command = /pulumi config set-all .*/.exec(said)?.[0] ?? assert.fail(said);
  return [...command.matchAll(/--(?:plaintext|path) '?release:([^= ]+)=([^' ]+)'?/g)].map(([, key, value]) => [
    key!,
    value!,
  ]);
}

/** Makes a PersistentVolume in a folder of this machine, which is the node, and the claim for it. */
async function makeVolume({ namespace, volume }: World): Promise<void> {
  // A volume of the node's own folders gets no group, so every user may write to it.
  chmodSync(volume, 0o777);
  const spec = { accessModes: ["ReadWriteOnce"], storageClassName: "", volumeMode: "Filesystem" };
  const objects = [
    {
      ...{ apiVersion: "v1", kind: "PersistentVolume", metadata: { name: namespace } },
      spec: { ...spec, capacity: { storage: "1Gi" }, hostPath: { path: volume } },
    },
    {
      ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "notes-backups", namespace } },
      spec: { ...spec, volumeName: namespace, resources: { requests: { storage: "1Gi" } } },
    },
  ];
  await kubectl(["apply", "--filename", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
}
