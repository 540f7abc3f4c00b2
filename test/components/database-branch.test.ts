import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { type Live, parseReleaseOutputs, parseSettings, planBackup, Release, stackOutputs } from "../../components";
import { BranchProgramMissing } from "../../components/database-branch";
import { PulumiRecorder } from "../support/pulumi-recorder";

const JOB = "kubernetes:batch/v1:Job";
const FINGERPRINT = "f".repeat(64);
const HISTORY = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: FINGERPRINT,
  payload: [Buffer.from("payload")],
};
const BRANCH = { project: "floral-king-961888", secret: { name: "notes-neon" } };

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

async function release(
  branch: object,
  { live = {}, brancher = "// brancher" }: { live?: Live; brancher?: string } = {},
) {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { secret: { name: "notes-database" } },
    migrations: { directory: "migrations", pod: { spec: { tolerations: [{ key: "jobs", operator: "Exists" }] } } },
    backup: { mode: "branch", timeout: "5m", branch },
  });
  expect(problems).toEqual([]);
  const of = { settings: settings!, history: HISTORY, migrator: "// migrator" };
  const backup = await planBackup(settings!, HISTORY, { live });
  const made = new Release("notes", { ...of, backup, ...(brancher ? { brancher } : {}) });
  const all = await new Promise<unknown>((resolve) => {
    pulumi.output(stackOutputs(made)).apply(resolve);
  });
  await pulumi.runtime.disconnect();
  return parseReleaseOutputs(all);
}

const job = (component: string) =>
  recorder.all(JOB).find(({ inputs }) => inputs["metadata"].labels["app.kubernetes.io/component"] === component)!;

describe("the Job of a branch", () => {
  test("stands between preflight and migration, and is named by the migrations", async () => {
    await release(BRANCH);
    const { inputs, options } = job("branch");
    expect(inputs["metadata"].name).toBe("notes-branch-ffffffffffff");
    expect(inputs["spec"]).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 5 * 60 + 120 });
    expect(options.dependsOn.join()).toContain("notes-preflight");
    expect(options.ignoreChanges).toEqual(['spec.template.metadata.annotations["release/id"]']);
    expect(job("migrate").options.dependsOn.join()).toContain("notes-branch-ffffffffffff");
    const words: string[] = job("migrate").inputs["spec"].template.spec.containers[0].args;
    const at = words.indexOf("--snapshot");
    expect(words.slice(at, at + 4)).toEqual([
      "--snapshot",
      expect.stringContaining("/notes-ffffffffffff"),
      "--backup-kind",
      "branch",
    ]);
  });

  test("gets its settings, and the API key by reference alone", async () => {
    await release({ ...BRANCH, parent: "production", endpoint: "http://neon.test/api/v2" });
    const { spec } = job("branch").inputs["spec"].template;
    const [container] = spec.containers;
    expect(spec.containers).toHaveLength(1);
    expect(container.command).toEqual(["node", "/release/branch.cjs"]);
    const text = container.args.join(" ");
    for (const part of [
      "--neon-project floral-king-961888",
      "--parent production",
      "--endpoint http://neon.test/api/v2",
      "--timeout 5m",
      "--last-migration 1_init",
      `--fingerprint ${FINGERPRINT}`,
    ])
      expect(text).toContain(part);
    expect(container.env).toContainEqual({
      name: "NEON_API_KEY",
      valueFrom: { secretKeyRef: { name: "notes-neon", key: "NEON_API_KEY" } },
    });
    expect(container.env).toContainEqual({
      name: "RELEASE_ID",
      valueFrom: { fieldRef: { fieldPath: "metadata.annotations['release/id']" } },
    });
    expect(spec.tolerations).toEqual([{ key: "jobs", operator: "Exists" }]);
  });

  test("is not waited for by a release of only a new image, whose outputs go on naming the same branch", async () => {
    const id = `${pulumi.getProject()}.${pulumi.getStack()}/notes-ffffffffffff`;
    const times = { createdAt: "2026-11-30T10:00:00Z", completedAt: "2026-11-30T10:00:01Z" };
    const location = `neon://floral-king-961888/${id}`;
    const backup = { kind: "branch" as const, id, location, ...times, checksum: null, copy: null };
    const live = { fingerprint: FINGERPRINT, attempt: 1, backup };
    expect((await release(BRANCH, { live })).backup).toEqual(backup);
    expect(job("migrate").options.dependsOn.join()).not.toContain("notes-branch");
  });

  test("needs the program that makes the branch", async () => {
    await expect(release(BRANCH, { brancher: "" })).rejects.toThrow(BranchProgramMissing);
  });
});
