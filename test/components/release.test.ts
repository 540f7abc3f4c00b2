import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import {
  BackupMissing,
  type Live,
  parseReleaseOutputs,
  parseSettings,
  planBackup,
  Release,
  type ReleaseArgs,
  type ReleaseOutputs,
  ReviewMissing,
  reviewGate,
  type Settings,
  stackOutputs,
} from "../../components";
import { MANIFEST_ANNOTATION, manifestHash } from "../../components/manifest";
import { rolloutManifests } from "../../components/rollout-gate";
import { PulumiRecorder } from "../support/pulumi-recorder";

const SNAPSHOT = "aws:rds/snapshot:Snapshot";
const COMMAND = "command:local:Command";
const JOB = "kubernetes:batch/v1:Job";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const BUDGET = "kubernetes:policy/v1:PodDisruptionBudget";
const AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";

const MINIMAL = {
  app: { name: "notes", image: "notes:1" },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
};

function settings(changes: Record<string, object | undefined> = {}): Settings {
  const raw: Record<string, unknown> = { ...MINIMAL };
  for (const [key, value] of Object.entries(changes)) {
    raw[key] = Array.isArray(value) ? value : { ...(raw[key] as object | undefined), ...value };
  }
  const parsed = parseSettings(raw);
  if (!parsed.settings) throw new Error(parsed.problems.join("\n"));
  return parsed.settings;
}

const HISTORY = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};

/** The Job that migrates, or the one that looks before anything is touched. */
function job(step: "preflight" | "migrate" | "contract" = "migrate") {
  const found = recorder
    .all(JOB)
    .filter(({ inputs }) => inputs["metadata"].labels["app.kubernetes.io/component"] === step);
  expect(found).toHaveLength(1);
  return found[0]!;
}

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

async function release(
  of = settings(),
  history = HISTORY,
  published = () => {},
  live: Live = {},
  more: Partial<ReleaseArgs> = {},
): Promise<ReleaseOutputs> {
  const backup = await planBackup(of, history, { live });
  const released = new Release("notes", {
    settings: of,
    history,
    migrator: "// migrator",
    backup,
    tags: { stack: "test" },
    ...more,
  });
  const all = await new Promise<unknown>((resolve) => {
    pulumi.output(stackOutputs(released)).apply(resolve);
  });
  published();
  await pulumi.runtime.disconnect();
  return parseReleaseOutputs(all);
}

function urns(of: string[]): string[] {
  return of.map((urn) => urn.split("::").slice(-2).join(" ").replace(/^.*\$/, ""));
}

describe("a release whose settings refuse something", () => {
  const refusing = (...refuse: string[]) => settings({ review: { refuse } });
  const made = async (of: Settings, reviewed?: Settings, history = HISTORY) => {
    const review = reviewed && (await reviewGate(reviewed, HISTORY, {}));
    const backup = await planBackup(of, HISTORY);
    return new Release("notes", { settings: of, history, migrator: "// migrator", review, backup });
  };

  test("fails without a review, with one of other settings, and with one of another history", async () => {
    const of = refusing("destructive", "blocking");
    await expect(made(of)).rejects.toThrow(ReviewMissing);
    await expect(made(of)).rejects.toThrow(/names destructive, blocking, but the Release was given no review/);
    await expect(made(of, refusing("blocking"))).rejects.toThrow("made with other settings");
    const longer = { ...HISTORY, migrations: [...HISTORY.migrations, { name: "2_b", sql: "", checksum: "" }] };
    await expect(made(of, of, longer)).rejects.toThrow("another history");
    expect(recorder.registrations).toEqual([]);
  });

  test("has the preflight Job refuse the same once more, by what the database really has", async () => {
    const acknowledgement = {
      migration: "1_init",
      finding: "drop-table a",
      checksum: "0f1e2d3c",
      reason: "$(DATABASE_URL)",
    };
    const of = settings({ review: { refuse: ["destructive", "lint"], acknowledgements: [acknowledgement] } });
    await made(of, of);
    await pulumi.runtime.disconnect();
    const [container] = job("preflight").inputs["spec"].template.spec.containers;
    // Kubernetes would put the connection string where the reason has its name.
    const text = JSON.stringify(acknowledgement).replace("$(", "$$$$(");
    expect(container.args.join(" ")).toContain(
      `preflight --runner migrator --refuse destructive --refuse lint --acknowledge ${text}`,
    );
    expect(job().inputs["spec"].template.spec.containers[0].args.join(" ")).not.toContain("--refuse");
  });
});

test("a release whose settings ask for a backup fails where the program plans none", () => {
  expect(() => new Release("notes", { settings: settings(), history: HISTORY, migrator: "" })).toThrow(BackupMissing);
});

describe("the chain", () => {
  test("looks before it takes the snapshot, takes that before the migration, and migrates before anything that uses the database is changed", async () => {
    await release(
      settings({
        workloads: [
          { kind: "worker", name: "mailer" },
          { kind: "cron", name: "cleanup", schedule: "0 3 * * *" },
        ],
      }),
    );
    const order = recorder.registrations.map(({ type }) => type);
    expect(order.indexOf(JOB)).toBeLessThan(order.indexOf(SNAPSHOT));
    expect(order.indexOf(SNAPSHOT)).toBeLessThan(order.lastIndexOf(JOB));
    expect(order.lastIndexOf(JOB)).toBeLessThan(order.indexOf(DEPLOYMENT));
    expect(urns(recorder.only(SNAPSHOT).options.dependsOn)).toContain(`${JOB} ${job("preflight").name}`);
    const before = urns(job().options.dependsOn).join();
    expect(before).toContain(SNAPSHOT);
    expect(before).toContain(job("preflight").name);
    for (const { name } of recorder.all(CONFIG_MAP)) {
      expect(before).toContain(name);
      expect(urns(job("preflight").options.dependsOn).join()).toContain(name);
    }
    const users = [...recorder.all(DEPLOYMENT), recorder.only("kubernetes:batch/v1:CronJob")];
    expect(users).toHaveLength(3);
    for (const user of users) expect(urns(user.options.dependsOn).join()).toContain(`${JOB} ${job().name}`);
  });

  test("gives every release a Job and a snapshot of its own, by their logical names", async () => {
    const first = await release();
    expect(job().name).toContain(first.releaseId);
    expect(job().inputs["metadata"].name).toContain(first.releaseId);
    expect(recorder.only(SNAPSHOT).name).toBe(`notes-db-${"f".repeat(12)}`);
    expect(recorder.only(SNAPSHOT).inputs["dbSnapshotIdentifier"]).toBe(`notes-db-${"f".repeat(12)}`);
  });

  test("runs a failed Job again on the next up, and never beside the failed one", async () => {
    await release();
    for (const { options } of recorder.all(JOB)) {
      expect(options).toMatchObject({ replaceOnChanges: ["*"], deleteBeforeReplace: true });
    }
  });

  test("keeps a snapshot whose release is gone", async () => {
    await release();
    expect(recorder.only(SNAPSHOT).options.retainOnDelete).toBe(true);
  });

  test("lets nothing of the app be made of an output of a Job, a ConfigMap or a Secret", async () => {
    await release(settings({ workloads: [{ kind: "worker", name: "mailer" }] }));
    for (const deployment of recorder.all(DEPLOYMENT)) {
      expect(Object.values(deployment.options.propertyDependencies).flat()).toEqual([]);
    }
  });

  test("mounts the migrations from immutable ConfigMaps that are named by their content", async () => {
    await release();
    const before = recorder.all(CONFIG_MAP);
    expect(before).toHaveLength(2);
    for (const { inputs, name } of before) {
      expect(inputs["immutable"]).toBe(true);
      expect(inputs["metadata"].name).toBe(name);
    }
    const mounted = job().inputs["spec"].template.spec.volumes[0].projected.sources;
    expect(mounted.map((source: any) => source.configMap.name)).toEqual(before.map(({ name }) => name));

    recorder = new PulumiRecorder();
    await recorder.start();
    await release(settings(), { ...HISTORY, payload: [Buffer.from("other SQL")] });
    const after = recorder.all(CONFIG_MAP).map(({ name }) => name);
    expect(after[0]).toBe(before[0]!.name);
    expect(after[1]).not.toBe(before[1]!.name);
  });

  test("gives the Job one try, a deadline, its last words, and neither a TTL nor a failure policy", async () => {
    await release(settings({ migrations: { deadline: "10m", statementTimeout: "5m" } }));
    const { spec } = job().inputs;
    expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 600 });
    expect(spec.template.spec.restartPolicy).toBe("Never");
    expect(spec.template.spec.containers[0].terminationMessagePolicy).toBe("FallbackToLogsOnError");
    expect(spec).not.toHaveProperty("ttlSecondsAfterFinished");
    expect(spec).not.toHaveProperty("podFailurePolicy");
    expect(job().options.customTimeouts["create"]).toBe("720s");
  });

  test("looks before anything is touched, by the environment's own measure", async () => {
    const changes = {
      migrations: {
        checks: { tls: "off", drift: "fail" },
        maxConnectionsPercent: 60,
        diskFree: "20Gi",
        allowDatabaseAhead: true,
        showValues: true,
      },
      report: { tested: "staging, 2026-11-20", window: "Sun 02:00" },
    };
    await release(settings(changes));
    const args = job("preflight").inputs["spec"].template.spec.containers[0].args.join(" ");
    for (const given of [
      "--check tls=off --check drift=fail",
      "--max-connections-percent 60",
      "--disk-free 21474836480B",
      "--allow-database-ahead",
      "--show-values",
    ]) {
      expect(args).toContain(given);
    }
    expect(args).toContain("--note tested=staging, 2026-11-20 --note window=Sun 02:00");
    expect(args).not.toContain("--snapshot");
  });

  test("tells the Job which snapshot it relies upon, when it was taken and how old it may be", async () => {
    // What notes the end of the snapshot.
    recorder.stdout = "2026-11-21T13:00:00Z";
    await release(settings({ backup: { maxAge: "2h" } }));
    expect(job().inputs["spec"].template.spec.containers[0].args.join(" ")).toContain(
      `--snapshot notes-db-${"f".repeat(12)} --snapshot-created-at 2026-11-21T10:00:00Z --snapshot-completed-at 2026-11-21T13:00:00Z --snapshot-max-age 2h`,
    );
  });

  test("notes the end anew of a snapshot that was deleted by hand and taken again under its name", async () => {
    await release();
    const noted = recorder.all(COMMAND).filter(({ name }) => name.endsWith("-completed"));
    expect(noted.map(({ inputs }) => inputs["triggers"])).toEqual([["2026-11-21T10:00:00Z"]]);
    expect(noted[0]!.options.ignoreChanges).not.toContain("triggers");
  });

  test("waits long for a snapshot, and tags it with what it belongs to", async () => {
    const { releaseId } = await release();
    expect(recorder.only(SNAPSHOT).options.customTimeouts["create"]).toBe("10800s");
    expect(recorder.only(SNAPSHOT).inputs["tags"]).toEqual({
      stack: "test",
      release: releaseId,
      migrations: HISTORY.fingerprint,
    });
    // A later release with the same migrations has another id, and that is no reason to touch the snapshot.
    expect(recorder.only(SNAPSHOT).options.ignoreChanges).toContain("tags");
  });

  test("publishes what is live: every output waits for the rolled-out Deployment", async () => {
    const outputs = await release(settings({ service: { type: "NodePort", host: "127.0.0.1" } }));
    expect(outputs).toMatchObject({
      snapshot: {
        id: `notes-db-${"f".repeat(12)}`,
        arn: `arn:aws:rds:::snapshot:notes-db-${"f".repeat(12)}`,
        createdAt: "2026-11-21T10:00:00Z",
      },
      backup: { kind: "snapshot", id: `notes-db-${"f".repeat(12)}`, createdAt: "2026-11-21T10:00:00Z" },
      migrations: { last: "1_init", count: 1, fingerprint: HISTORY.fingerprint },
      attempt: 1,
      image: "notes:1",
      namespace: "default",
      service: "notes",
      url: "http://127.0.0.1:30000",
      restore: `npm run restore -- --stack test --to notes-db-${"f".repeat(12)}`,
      migrationBegan: "2026-11-21T10:02:00Z",
    });
  });

  test("keeps the time at which its migrations began, while only the image changes", async () => {
    const began = async (migrationBegan: string | null) => {
      recorder = new PulumiRecorder();
      await recorder.start();
      return (await release(settings({ app: { image: "notes:2" } }), HISTORY, undefined, {}, { migrationBegan }))
        .migrationBegan;
    };
    expect(await began("2026-11-20T09:00:00Z")).toBe("2026-11-20T09:00:00Z");
    // An older version of this project didn't record it, and the Job of a new image is no place to go back to.
    expect(await began(null)).toBeNull();
  });

  test("publishes nothing while the rollout goes on", async () => {
    const rollout = recorder.hold(DEPLOYMENT);
    let published = false;
    const done = release(settings(), HISTORY, () => {
      published = true;
    });
    await rollout.started;
    // Plenty of turns of the event loop: whatever does not wait for the rollout is done by then.
    for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate);
    expect(published).toBe(false);
    rollout.finish();
    expect((await done).image).toBe("notes:1");
  });

  test("is stricter in production by settings alone: protect", async () => {
    await release(settings({ policy: { protect: true } }));
    expect(recorder.only(DEPLOYMENT).options.protect).toBe(true);
  });
});

describe("the release id", () => {
  const idOf = async (changes: Record<string, object> = {}, history = HISTORY) => {
    recorder = new PulumiRecorder();
    await recorder.start();
    return (await release(settings(changes), history)).releaseId;
  };

  test("stays when nothing that decides the release changes", async () => {
    const before = await idOf();
    expect(await idOf({ app: { replicas: 5 } })).toBe(before);
    expect(await idOf({ migrations: { deadline: "30m" } })).toBe(before);
    expect(await idOf({ migrations: { directory: "elsewhere/migrations" } })).toBe(before);
    expect(await idOf({ migrations: { deadline: "1800s" } })).toBe(before);
  });

  test.each([
    ["the image", { app: { image: "notes:2" } }],
    ["a runner setting", { migrations: { lockTimeout: "9s" } }],
    ["the attempt", { release: { attempt: 2 } }],
  ])("changes with %s", async (_, changes) => {
    expect(await idOf(changes)).not.toBe(await idOf());
  });

  test("changes with the migrations, and only they and the attempt change the snapshot", async () => {
    expect(await idOf({}, { ...HISTORY, fingerprint: "e".repeat(64) })).not.toBe(await idOf());
    await idOf({ app: { image: "notes:2" } });
    expect(recorder.only(SNAPSHOT).name).toBe(`notes-db-${"f".repeat(12)}`);
    await idOf({ release: { attempt: 2 } });
    expect(recorder.only(SNAPSHOT).name).toBe(`notes-db-${"f".repeat(12)}-2`);
  });
});

describe("the backup", () => {
  const identifier = `notes-db-${"f".repeat(12)}`;

  test("is a cluster snapshot for an Aurora cluster", async () => {
    const outputs = await release(settings({ database: { kind: "cluster" } }));
    expect(recorder.all(SNAPSHOT)).toHaveLength(0);
    expect(recorder.only("aws:rds/clusterSnapshot:ClusterSnapshot").inputs["dbClusterSnapshotIdentifier"]).toBe(
      identifier,
    );
    expect(outputs.restore).toBe(`npm run restore -- --stack test --to ${identifier}`);
  });

  test("is left out where the environment allows it", async () => {
    const outputs = await release(settings({ backup: { mode: "none" }, policy: { backup: "optional" } }));
    expect(recorder.all(SNAPSHOT)).toHaveLength(0);
    expect(outputs.snapshot).toBeNull();
    expect(job().inputs["spec"].template.spec.containers[0].args).not.toContain("--snapshot");
  });

  test("takes over a snapshot that a killed up left behind", async () => {
    recorder.snapshots = { [identifier]: { status: "available" } };
    await release();
    expect(recorder.only(SNAPSHOT).options.importId).toBe(identifier);
  });

  test("is of the database as RDS spells it", async () => {
    await release(settings({ database: { identifier: "Notes-DB" } }));
    expect(recorder.only(SNAPSHOT).inputs["dbInstanceIdentifier"]).toBe("notes-db");
  });

  test("leaves a failed snapshot aside and takes another", async () => {
    recorder.snapshots = { [identifier]: { status: "failed" } };
    await release();
    expect(recorder.only(SNAPSHOT).inputs["dbSnapshotIdentifier"]).toBe(`${identifier}-r2`);
    expect(recorder.only(SNAPSHOT).options.importId).toBe("");
  });

  test("gives up after five failed snapshots, with the next command", async () => {
    const failed = { status: "failed" };
    recorder.snapshots = Object.fromEntries(
      ["", "-r2", "-r3", "-r4", "-r5"].map((suffix) => [identifier + suffix, failed]),
    );
    await expect(planBackup(settings(), HISTORY)).rejects.toThrow(/release\.attempt/);
  });
});

describe("a release of only a new image", () => {
  const identifier = `notes-db-${"f".repeat(12)}`;
  const live: Live = { fingerprint: HISTORY.fingerprint, attempt: 1 };
  const made = (of: Settings, now = live) => release(of, HISTORY, undefined, now);

  test("takes no snapshot where the one of its migrations was removed, and names none", async () => {
    const outputs = await made(settings());
    expect(recorder.all(SNAPSHOT)).toEqual([]);
    expect(outputs).toMatchObject({ snapshot: null, backup: null, restore: null, attempt: 1 });
    expect(job().inputs["spec"].template.spec.containers[0].args.join(" ")).toContain(
      `--snapshot ${identifier} --snapshot-created-at gone --snapshot-completed-at gone`,
    );
  });

  test.each(["failed", "deleting", "creating"])("takes none beside one that is %s", async (status) => {
    recorder.snapshots = { [identifier]: { status } };
    await made(settings());
    expect(recorder.all(SNAPSHOT)).toEqual([]);
  });

  test("keeps the snapshot that is there, whatever the policy says of new ones", async () => {
    recorder.snapshots = { [`${identifier}-r2`]: { status: "available", encrypted: false } };
    const outputs = await made(settings({ policy: { encryption: "required" } }));
    expect(recorder.only(SNAPSHOT).options.importId).toBe(`${identifier}-r2`);
    expect(outputs.backup).toMatchObject({ kind: "snapshot", id: `${identifier}-r2` });
  });

  test.each([
    ["the attempt was raised", settings({ release: { attempt: 2 } }), live],
    ["other migrations are live", settings(), { ...live, fingerprint: "e".repeat(64) }],
    ["nothing is live", settings(), {}],
    ["an older version of this project released what is live", settings(), { fingerprint: HISTORY.fingerprint }],
  ])("is none where %s: a snapshot is taken", async (_, of, now) => {
    await made(of, now);
    expect(recorder.all(SNAPSHOT)).toHaveLength(1);
  });
});

describe("a release that holds back the live one's migrations", () => {
  const back = { ...HISTORY, heldBack: ["2_bad", "3_worse"] };
  const live: Live = { migration: "3_worse", fingerprint: "e".repeat(64), attempt: 1 };

  test("takes no snapshot, and its migration Job would refuse to apply anything without one", async () => {
    await release(settings(), back, undefined, live);
    expect(recorder.all(SNAPSHOT)).toEqual([]);
    expect(job().inputs["spec"].template.spec.containers[0].args.join(" ")).toContain("--snapshot-created-at gone");
  });

  test("takes one where the live release is an earlier one", async () => {
    await release(settings(), back, undefined, { ...live, migration: "0_first" });
    expect(recorder.all(SNAPSHOT)).toHaveLength(1);
  });
});

describe("contract migrations", () => {
  test("have a Job of their own, after the rollout and the smoke check, with time to soak before", async () => {
    const of = settings({
      migrations: { soak: "15m", deadline: "30m" },
      smoke: { command: "true" },
      workloads: [{ kind: "worker", name: "mailer" }],
    });
    await release(of, { ...HISTORY, contract: true });
    expect(job().inputs["spec"].template.spec.containers[0].args.slice(0, 2)).toEqual(["deploy", "--hold-contract"]);
    const { inputs, options } = job("contract");
    expect(inputs["spec"].template.spec.containers[0].args.slice(0, 4)).toEqual([
      "deploy",
      "--after-rollout",
      "--soak",
      "15m",
    ]);
    expect(inputs["spec"].activeDeadlineSeconds).toBe(45 * 60);
    const before = urns(options.dependsOn).join();
    for (const { name } of recorder.all(DEPLOYMENT)) expect(before).toContain(`${DEPLOYMENT} ${name}`);
    expect(before).toContain(COMMAND);
  });

  test("need no Job where there are none", async () => {
    await release();
    expect(recorder.all(JOB)).toHaveLength(2);
  });
});

describe("the smoke check", () => {
  test("runs once a release, after the app and every other workload are rolled out", async () => {
    const { releaseId } = await release(
      settings({ smoke: { command: "curl $RELEASE_URL" }, workloads: [{ kind: "worker", name: "mailer" }] }),
    );
    const commands = recorder.all(COMMAND);
    const [check, ...more] = commands.filter(({ name }) => name === `notes-smoke-${releaseId}`);
    expect(more).toEqual([]);
    expect(check!.inputs).toMatchObject({
      create: "curl $RELEASE_URL",
      environment: { RELEASE_ID: releaseId, RELEASE_URL: "http://notes.default.svc.cluster.local" },
    });
    for (const { name } of recorder.all(DEPLOYMENT)) {
      expect(urns(check!.options.dependsOn)).toContain(`${DEPLOYMENT} ${name}`);
    }
  });
});

describe("the pods", () => {
  test("never fall below the replicas, and lose no request", async () => {
    await release();
    const { spec } = recorder.only(DEPLOYMENT).inputs;
    expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    const [container] = spec.template.spec.containers;
    expect(container.lifecycle.preStop.sleep.seconds).toBe(5);
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(5);
    expect(container.readinessProbe.httpGet.path).toBe("/health");
    expect(recorder.only(BUDGET).inputs["spec"].maxUnavailable).toBe(1);
  });

  test("leave out the hook that Kubernetes before 1.33 refuses with 0 s", async () => {
    await release(settings({ app: { preStop: "0s" } }));
    expect(recorder.only(DEPLOYMENT).inputs["spec"].template.spec.containers[0]).not.toHaveProperty("lifecycle");
  });

  test("are replaced as the settings say, and nodes may take as many of them at once", async () => {
    await release(settings({ app: { replicas: 8, maxSurge: "50%", maxUnavailable: "25%" } }));
    const { strategy } = recorder.only(DEPLOYMENT).inputs["spec"];
    expect(strategy).toEqual({ type: "RollingUpdate", rollingUpdate: { maxSurge: "50%", maxUnavailable: "25%" } });
    expect(recorder.only(BUDGET).inputs["spec"].maxUnavailable).toBe("25%");
  });

  test("never run beside those of the old version with the strategy recreate", async () => {
    await release(settings({ app: { strategy: "recreate", downtime: "accepted" } }));
    expect(recorder.only(DEPLOYMENT).inputs["spec"].strategy).toEqual({ type: "Recreate" });
  });

  test("are scaled by an autoscaler that measures the app's own container", async () => {
    const autoscaling = { min: 3, max: 9, cpuPercent: 70, memoryPercent: 80 };
    const mailer = { kind: "worker", name: "mailer", autoscaling: { max: 4, cpuPercent: 50 } };
    await release(settings({ app: { autoscaling }, workloads: [mailer] }));
    const [app, worker] = ["notes", "notes-mailer"].map((name) =>
      recorder.all(AUTOSCALER).find((each) => each.name === name),
    );
    const metric = (name: string, container: string, averageUtilization: number) => ({
      type: "ContainerResource",
      containerResource: { name, container, target: { type: "Utilization", averageUtilization } },
    });
    expect(app!.inputs).toMatchObject({
      metadata: { name: "notes", namespace: "default" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "notes" },
        minReplicas: 3,
        maxReplicas: 9,
        metrics: [metric("cpu", "app", 70), metric("memory", "app", 80)],
      },
    });
    expect(worker!.inputs["spec"]).toMatchObject({
      scaleTargetRef: { name: "notes-mailer" },
      minReplicas: 1,
      maxReplicas: 4,
      metrics: [metric("cpu", "mailer", 50)],
    });
    // The first release starts with the least number; from then on the number is the autoscaler's.
    for (const { inputs, options } of recorder.all(DEPLOYMENT)) {
      expect(inputs["spec"].replicas).toBe(inputs["metadata"].name === "notes" ? 3 : 1);
      expect(options.ignoreChanges).toEqual(["spec.replicas"]);
    }
    expect(urns(app!.options.dependsOn)).toContain(`${DEPLOYMENT} notes`);
    expect(recorder.only(BUDGET).inputs["spec"].maxUnavailable).toBe(1);
  });

  test("keep their number when another tool scales them, and may be one or many", async () => {
    await release(settings({ app: { replicas: "external" } }));
    expect(recorder.all(AUTOSCALER)).toEqual([]);
    expect(recorder.only(BUDGET).inputs["spec"].maxUnavailable).toBe(1);
    expect(recorder.only(DEPLOYMENT).options.ignoreChanges).toEqual(["spec.replicas"]);
  });

  test("get the database's URL by reference only", async () => {
    await release();
    const variable = (registration: { inputs: any }, name: string) =>
      registration.inputs.spec.template.spec.containers[0].env.find((each: any) => each.name === name);
    expect(variable(recorder.only(DEPLOYMENT), "DATABASE_URL")).toEqual({
      name: "DATABASE_URL",
      valueFrom: { secretKeyRef: { name: "notes-database", key: "url" } },
    });
    expect(variable(job(), "DATABASE_URL").valueFrom.secretKeyRef.key).toBe("direct-url");
  });

  test("meet the Pod Security Standard restricted", async () => {
    await release(settings({ workloads: [{ kind: "worker", name: "mailer" }] }));
    for (const { inputs } of [...recorder.all(DEPLOYMENT), ...recorder.all(JOB)]) {
      const pod = inputs["spec"].template.spec;
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const { securityContext } of pod.containers) {
        expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
      }
    }
  });
});

describe("values that other resources of the program make", () => {
  const made = <T>(value: T) => pulumi.output(Promise.resolve(value));

  test("reach the objects in place of the settings, without a change of the release id", async () => {
    const of = settings({
      app: { env: { MODE: "settings", KEPT: "yes" } },
      workloads: [{ kind: "worker", name: "mailer" }],
    });
    const backup = await planBackup(of, HISTORY);
    const { outputs, releaseId } = new Release("shop", {
      settings: of,
      history: HISTORY,
      migrator: "// migrator",
      backup,
      provided: {
        namespace: made("made-namespace"),
        databaseIdentifier: made("made-db"),
        databaseSecret: made("made-secret"),
        env: { MODE: made("made"), QUEUE: made("https://queue") },
      },
    });
    const { namespace, url } = await new Promise<{ namespace: string; url: string }>((done) => outputs.apply(done));
    await pulumi.runtime.disconnect();
    expect({ namespace, url }).toEqual({
      namespace: "made-namespace",
      url: "http://notes.made-namespace.svc.cluster.local",
    });
    expect(recorder.all(SNAPSHOT)[0]!.inputs).toMatchObject({
      dbInstanceIdentifier: "made-db",
      dbSnapshotIdentifier: expect.stringMatching(/^notes-db-/),
    });
    for (const type of [JOB, DEPLOYMENT, CONFIG_MAP])
      for (const { inputs } of recorder.all(type)) expect(inputs["metadata"].namespace).toBe("made-namespace");
    const secretOf = (env: { valueFrom?: { secretKeyRef: { name: string } } }[]) =>
      env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef.name ?? []);
    for (const { inputs } of [...recorder.all(JOB), ...recorder.all(DEPLOYMENT)])
      expect(secretOf(inputs["spec"].template.spec.containers[0].env)).toEqual(["made-secret"]);
    for (const { inputs } of recorder.all(DEPLOYMENT)) {
      const { env } = inputs["spec"].template.spec.containers[0];
      expect(env).toEqual(
        expect.arrayContaining([
          { name: "KEPT", value: "yes" },
          { name: "MODE", value: "made" },
          { name: "QUEUE", value: "https://queue" },
        ]),
      );
      expect(env.filter(({ name }: { name: string }) => name === "MODE")).toHaveLength(1);
    }
    // The resources are named by the component's own name; two releases can stand in one program.
    expect(recorder.all(JOB).map(({ name }) => name)).toEqual(
      ["preflight", "migrate"].map((step) => `shop-${step}-${releaseId}`),
    );
    expect(recorder.all(DEPLOYMENT).map(({ name }) => name)).toEqual(["shop", "shop-mailer"]);
  });
});

describe("the annotation that tells what the program set of an object", () => {
  test("is the one that the rollout gate expects of an unchanged object", async () => {
    const of = settings({ workloads: [{ kind: "worker", name: "mailer" }] });
    await release(of);
    const expected = rolloutManifests(of, HISTORY).filter(({ kind }) => kind === "Deployment");
    expect(recorder.all(DEPLOYMENT).map(({ inputs }) => inputs["metadata"].annotations[MANIFEST_ANNOTATION])).toEqual(
      expected.map(manifestHash),
    );
  });
});
