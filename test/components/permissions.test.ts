import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { liveRelease, parseSettings, planBackup, Release, reviewGate } from "../../components";
import { actions, needed } from "../../local/cloud/aws/permissions";
import { PulumiRecorder } from "../support/pulumi-recorder";
import { listedActions, README } from "../support/readme";
import { manifestOf, mayDo, rightsOf, roles } from "../support/roles";

const history = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};

/** A release with everything that a release can have. */
async function release(kind: "instance" | "cluster"): Promise<PulumiRecorder> {
  const recorder = new PulumiRecorder();
  await recorder.start();
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { kind, identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    workloads: [
      { kind: "worker", name: "mailer", autoscaling: { max: 3, cpuPercent: 80 } },
      { kind: "cron", name: "cleanup", schedule: "@daily" },
    ],
    smoke: { command: "true" },
    report: { directory: "reports" },
  });
  if (!settings) throw new Error(problems.join());
  const review = await reviewGate(settings, history, await liveRelease(settings));
  const backup = await planBackup(settings, history);
  const reader = { script: "", stack: "test", directory: "/tmp/reports" };
  const made = new Release("notes", { settings, history, migrator: "", review, backup, reader });
  await new Promise((resolve) => made.outputs.apply(resolve));
  await pulumi.runtime.disconnect();
  return recorder;
}

test.each(["instance", "cluster"] as const)(
  "the README lists the IAM actions that a release of an %s needs, and no others",
  async (kind) => {
    const { registrations, calls } = await release(kind);
    const used = [...registrations.map(({ type }) => type), ...calls.map(({ token }) => token)].filter((each) =>
      each.startsWith("aws:"),
    );
    for (const each of used) expect(needed).toHaveProperty([each]);
    // Listed in any case: it tells whether the database is there, and what it is doing.
    const expected = new Set([actions[kind].describe, ...used.flatMap((each) => needed[each]!)]);
    expect(listedActions(kind).sort()).toEqual([...expected].map((action) => `rds:${action}`).sort());
  },
);

test("the role for `up` may make the kinds of Kubernetes objects that a release makes, and no others", async () => {
  const { registrations } = await release("instance");
  const made = registrations.flatMap(({ type }) => {
    const [, group, kind] = /^kubernetes:([a-z.]+)\/v\d+:(\w+)$/.exec(type) ?? [];
    return kind === undefined ? [] : [`${kind.toLowerCase()}s${group === "core" ? "" : `.${group}`}`];
  });
  expect(mayDo("up", "create")).toEqual([...new Set(made)].sort());
});

// Those of `ops` are a sentence of their own, which test/ops/rights.test.ts compares; docs/recovery.md has those of `switch`.
test.each(roles().filter((role) => role !== "ops" && role !== "switch"))(
  "the README's table is what the role for `%s` may do in the cluster",
  (role) => {
    const listed = README.split("\n").flatMap((line) => {
      const [, who, verbs, resources] = /^\| `(\w+)` \| ([a-z, ]+) \| (`.*`) \|$/.exec(line) ?? [];
      return who === role ? resources!.match(/[\w./-]+/g)!.map((each) => `${each}: ${verbs}`) : [];
    });
    expect(listed.sort()).toEqual(rightsOf(role));
  },
);

test("no role may read Secrets, but that of a switch, or do anything outside of the release's namespace", () => {
  for (const role of roles()) {
    const read = ["get", "list", "watch"].filter((verb) => mayDo(role, verb).includes("secrets"));
    expect(read).toEqual(role === "switch" ? ["get"] : []);
    expect(rightsOf(role).filter((each) => /\*/.test(each))).toEqual([]);
    expect(manifestOf(role)).toMatchObject({ kind: "Role", metadata: { name: `release-${role}` } });
  }
});
