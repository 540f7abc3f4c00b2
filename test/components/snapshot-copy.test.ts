import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import {
  CopyProviderMissing,
  type Live,
  parseReleaseOutputs,
  parseSettings,
  planBackup,
  Release,
  type ReleaseOutputs,
  type Settings,
  stackOutputs,
} from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";

const SNAPSHOT = "aws:rds/snapshot:Snapshot";
const COPY = "aws:rds/snapshotCopy:SnapshotCopy";
const KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
const OTHER_KEY = "arn:aws:kms:eu-central-1:111122223333:key/5678ef00";
const COPY_KEY = "arn:aws:kms:eu-west-1:111122223333:key/4321dcba";
const NAME = `notes-db-${"f".repeat(12)}`;
const HISTORY = {
  contract: true,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

function settings(backup: object, database: object = {}): Settings {
  const parsed = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" }, ...database },
    migrations: { directory: "migrations" },
    backup,
  });
  if (!parsed.settings) throw new Error(parsed.problems.join("\n"));
  return parsed.settings;
}

async function release(of: Settings, live: Live = {}): Promise<ReleaseOutputs> {
  const copyProvider = new Provider("backup-copy", { region: "eu-west-1" });
  const backup = await planBackup(of, HISTORY, { live, copyProvider });
  const made = new Release("notes", {
    ...{ settings: of, history: HISTORY, migrator: "", backup, copyProvider },
    tags: { project: "release", stack: "test" },
  });
  const all = await new Promise((resolve) => {
    pulumi.output(stackOutputs(made)).apply(resolve);
  });
  await pulumi.runtime.disconnect();
  return parseReleaseOutputs(all);
}

const dependsOn = (type: string) =>
  recorder
    .only(type)
    .options.dependsOn.map((urn) => urn.split("::").slice(-2).join(" ").replace(/^.*\$/, ""))
    .join("\n");

/** The Job of a step, as it is found in `dependsOn`. */
function job(step: string) {
  return recorder
    .all("kubernetes:batch/v1:Job")
    .find(({ inputs }) => inputs["metadata"].labels["app.kubernetes.io/component"] === step)!;
}

describe("a copy of the snapshot in another region", () => {
  test("begins after the rollout, and is named in the outputs", async () => {
    const { backup } = await release(settings({ copy: { region: "eu-west-1", kmsKey: COPY_KEY } }));
    const { inputs, options, name } = recorder.only(COPY);
    expect(name).toBe(`${NAME}-eu-west-1`);
    expect(inputs).toMatchObject({
      sourceDbSnapshotIdentifier: `arn:aws:rds:::snapshot:${NAME}`,
      targetDbSnapshotIdentifier: NAME,
      kmsKeyId: COPY_KEY,
    });
    expect(options).toMatchObject({ retainOnDelete: true, importId: "" });
    expect(options.provider).toContain("::backup-copy");
    expect(options.customTimeouts["create"]).toBe("10800s");
    expect(dependsOn(COPY)).toContain("kubernetes:apps/v1:Deployment notes");
    expect(job("contract").options.dependsOn.join()).not.toContain("snapshotCopy");
    expect(backup?.copy).toEqual({
      id: NAME,
      location: `arn:aws:rds:eu-west-1::snapshot:${NAME}`,
      region: "eu-west-1",
    });
  });

  test("can be waited for before the migration, whose backup is as old as the copy", async () => {
    recorder.stdout = "2026-11-21T18:00:00Z";
    await release(settings({ copy: { region: "eu-west-1", when: "before-migration" } }));
    expect(job("migrate").options.dependsOn.join()).toContain("snapshotCopy");
    expect(dependsOn(COPY)).not.toContain("Deployment");
    const [, noted] = recorder.all("command:local:Command").filter(({ name }) => name.endsWith("-completed"));
    expect(noted!.name).toBe(`${NAME}-eu-west-1-completed`);
    expect(job("migrate").inputs["spec"].template.spec.containers[0].args.join(" ")).toContain(
      "--snapshot-completed-at 2026-11-21T18:00:00Z",
    );
  });

  test("is one of a cluster's snapshot for a cluster", async () => {
    await release(settings({ copy: { region: "eu-west-1" } }, { kind: "cluster" }));
    expect(recorder.only("aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy").inputs).toMatchObject({
      targetDbClusterSnapshotIdentifier: NAME,
    });
  });

  test("is taken over from an `up` that was killed", async () => {
    recorder.snapshots = { [NAME]: { status: "available", createdAt: "2026-11-21T10:00:00Z" } };
    recorder.copies = { [NAME]: { status: "available", createdAt: "2026-11-21T10:30:00Z" } };
    await release(settings({ copy: { region: "eu-west-1" } }));
    expect(recorder.only(COPY).options.importId).toBe(NAME);
  });

  test.each([
    ["that failed", { status: "failed", createdAt: "2026-11-21T10:30:00Z" }],
    ["of an older snapshot of that name", { status: "available", createdAt: "2026-11-20T10:30:00Z" }],
  ])("leaves one aside %s", async (_, before) => {
    recorder.snapshots = { [NAME]: { status: "available", createdAt: "2026-11-21T10:00:00Z" } };
    recorder.copies = { [NAME]: before };
    await release(settings({ copy: { region: "eu-west-1" } }));
    expect(recorder.only(COPY).inputs["targetDbSnapshotIdentifier"]).toBe(`${NAME}-r2`);
    expect(recorder.only(COPY).options.importId).toBe("");
  });

  test("is made again in a release of only a new image where it is missing, and not where the snapshot is", async () => {
    const live = { fingerprint: HISTORY.fingerprint, attempt: 1 };
    const of = settings({ copy: { region: "eu-west-1" } });
    await release(of, live);
    expect(recorder.all(COPY)).toEqual([]);
    recorder = new PulumiRecorder();
    await recorder.start();
    recorder.snapshots = { [NAME]: { status: "available" } };
    await release(of, live);
    expect(recorder.all(COPY)).toHaveLength(1);
  });

  test("needs a provider of that region from the program", async () => {
    const of = settings({ copy: { region: "eu-west-1" } });
    await expect(planBackup(of, HISTORY)).rejects.toThrow(CopyProviderMissing);
    const backup = { identifier: NAME, exists: false };
    expect(() => new Release("notes", { settings: of, history: HISTORY, migrator: "", backup })).toThrow(
      /eu-west-1.*\nNothing was touched/,
    );
  });
});

describe("the key of the snapshot", () => {
  test("ends the release before anything is changed where the database has another one", async () => {
    recorder.databaseKey = OTHER_KEY;
    await expect(release(settings({ kmsKey: KEY }))).rejects.toThrow(
      `Database notes-db is encrypted with ${OTHER_KEY}, and backup.kmsKey is ${KEY}.`,
    );
    expect(recorder.all(SNAPSHOT)).toEqual([]);
    recorder.databaseKey = "";
    await expect(release(settings({ kmsKey: KEY }))).rejects.toThrow("is not encrypted, and backup.kmsKey is");
  });

  test("is the database's own where the settings name that one", async () => {
    recorder.databaseKey = KEY;
    recorder.snapshots = { [NAME]: { status: "available", kmsKeyId: KEY } };
    expect((await release(settings({ kmsKey: KEY }))).snapshot).toMatchObject({ id: NAME });
  });
});

test("the tags of the settings are added to the snapshot's own, and to its copy's", async () => {
  const { releaseId } = await release(settings({ tags: { team: "notes", floor: 3 }, copy: { region: "eu-west-1" } }));
  const tags = {
    ...{ team: "notes", floor: "3", project: "release", stack: "test" },
    ...{ release: releaseId, migrations: HISTORY.fingerprint },
  };
  for (const type of [SNAPSHOT, COPY]) expect(recorder.only(type).inputs["tags"]).toEqual(tags);
});
