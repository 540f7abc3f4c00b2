import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { KEYS } from "../../backup/pod";
import { serves, succeeded } from "../expect";
import { kubectl } from "../kubectl";
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
];

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
