import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labels } from "../../../components/pods";
import { connect } from "../../../local/cloud/client";
import { openStore } from "../../../local/cloud/kubernetes/store";
import { removeFolders } from "../../by-hand/project";
import { until } from "../../local/cli";
import { query, World } from "../world";

const world = new World({
  prod: {
    app: { name: "notes", image: "notes:2" },
    database: { identifier: "notes-db", secret: { name: "notes-db-url", appKey: "direct-url" } },
    workloads: [
      { kind: "worker", name: "mailer" },
      { kind: "cron", name: "cleanup", schedule: "@daily" },
    ],
    "aws:region": "eu-central-1",
  },
});
const COPY = "notes-db-before";
const OUTPUTS = {
  before: [{ releaseId: "9b1d0c2e3f4a", image: "notes:1", lastMigration: "1_init" }],
  migrations: { last: "2_bad", count: 2, fingerprint: "f" },
};

/** The file without which no pod ends when it is told to. */
const MAY_END = join(world.home, "may-end");

const PROGRAM = `process.on("SIGTERM", () => setInterval(() => require("fs").existsSync(${JSON.stringify(MAY_END)}) && process.exit(), 50));
setInterval(() => {}, 1000);`;

const template = (component: string) => ({
  metadata: { labels: labels("notes", component) },
  spec: {
    terminationGracePeriodSeconds: 300,
    containers: [{ name: component, image: "node:22", command: ["node", "-e", PROGRAM] }],
  },
});

async function apply(kind: string, apiVersion: string, name: string, spec: object): Promise<void> {
  const object = { apiVersion, kind, metadata: { name, namespace: "default" }, spec };
  await (await connect(world.cloudDir)).call("kubernetes.apply", { object });
}

const deployment = (name: string, component: string, replicas: number) =>
  apply("Deployment", "apps/v1", name, {
    ...{ replicas, selector: { matchLabels: labels("notes", component) } },
    template: template(component),
  });

/** The pods that the Deployments want, and whether the CronJob is suspended. */
function state() {
  const of = (group: string, kind: string, name: string) =>
    openStore(world.cloudDir).get({ group, kind, namespace: "default", name })?.["spec"];
  return [
    of("apps", "Deployment", "notes").replicas,
    of("apps", "Deployment", "notes-mailer").replicas,
    of("batch", "CronJob", "notes-cleanup").suspend ?? false,
  ];
}

beforeAll(async () => {
  const { adminUrl } = await world.database("instance", "notes-db");
  await query(
    adminUrl,
    `CREATE TABLE notes AS SELECT 1 AS id;
     CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
       migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz DEFAULT now(), applied_steps_count int DEFAULT 0);
     INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', 'x', '1_init', now())`,
  );
  await world.snapshot("instance", "notes-db", "notes-db-1");
  world.release(OUTPUTS);
  const made = await world.run("--to", "notes-db-1", "--name", COPY, "--no-verify", "--stack", "prod");
  if (made.status !== 0) throw new Error(made.err);
  await deployment("notes", "app", 2);
  await deployment("notes-mailer", "mailer", 1);
  await apply("CronJob", "batch/v1", "notes-cleanup", {
    schedule: "@daily",
    jobTemplate: { spec: { template: template("cleanup") } },
  });
  // A pod that has not begun yet ends at once.
  const running = () =>
    openStore(world.cloudDir)
      .list("", "Pod")
      .filter((pod) => pod["status"]?.phase === "Running");
  await until(() => running().length === 3, "the pods run", 60_000);
}, 120_000);
afterAll(async () => {
  await world.remove();
  removeFolders();
});

describe.sequential("the parts of an app that is moved", { timeout: 240_000 }, () => {
  const words = ["switch", COPY, "--stack", "prod", "--no-up", "--accept-loss"];

  test("are not stopped where the Pulumi CLI, which releases them, is not there", async () => {
    const { status, err } = await world.run(...words.filter((word) => word !== "--no-up"));
    expect([status, err]).toEqual([2, expect.stringContaining("pulumi is not on PATH")]);
    expect(state()).toEqual([2, 1, false]);
  });

  test("are stopped, workers and crons too; pods that don't end in time are named, with both ways on", async () => {
    const { status, out, err } = await world.run(...words, "--timeout", "1s");
    expect(out).toContain(
      "Stopped until the release is rolled out: Deployment notes (2 pods), Deployment notes-mailer (1 pod), CronJob notes-cleanup (scheduled)",
    );
    expect(out).toContain("It is not known what was written: there are no counters of then.");
    expect(status, err).toBe(1);
    expect(err).toMatch(/FAILED: \d pods? of the app still runs? after 1 s: notes/);
    expect(err).toContain("the app is scaled to 0.");
    expect(err).toContain("to bring the app back: npm run restore -- switch-back --stack prod");
    expect(state()).toEqual([0, 0, true]);
    writeFileSync(MAY_END, "");
  });

  test("stay stopped until the commands that are shown were run elsewhere", async () => {
    const { status, out, err } = await world.run(...words);
    expect(status, err).toBe(0);
    expect(out).toContain("has begun at");
    expect(out).toContain(
      `  pulumi config set-all --path --plaintext release:app.image=notes:1 --plaintext release:database.identifier=${COPY} --plaintext release:database.secret.name=${COPY} --stack prod\n`,
    );
    expect(out).toContain("  pulumi up --yes --non-interactive --stack prod\n");
    expect(state()).toEqual([0, 0, true]);
  });

  test("get exactly what they had when they go back, and a second way back has nothing to do", async () => {
    const { status, out, err } = await world.run("switch-back", "--stack", "prod");
    expect(status, err).toBe(0);
    expect(out).toContain("The app uses notes-db again.");
    expect(state()).toEqual([2, 1, false]);
    const again = await world.run("switch-back", "--stack", "prod");
    expect([again.status, again.err]).toEqual([2, expect.stringContaining("was not moved to a copy")]);
  });
});
