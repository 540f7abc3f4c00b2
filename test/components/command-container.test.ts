import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { parseSettings, Release, reviewGate, type Settings } from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";

const JOB = "kubernetes:batch/v1:Job";

function settings(changes: object = {}, database: object = {}): Settings {
  const parsed = parseSettings({
    app: { name: "notes", image: "registry/notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" }, ...database },
    backup: { mode: "none" },
    policy: { backup: "optional" },
    migrations: { directory: "migrations", runner: "command", ...changes },
  });
  if (!parsed.settings) throw new Error(parsed.problems.join("\n"));
  return parsed.settings;
}

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

async function release(of: Settings, contract = false): Promise<{ id: string; pod: any; container: any }> {
  const history = { contract, migrations: [], fingerprint: "f".repeat(64), payload: [Buffer.from("payload")] };
  const { releaseId, outputs } = new Release("notes", { settings: of, history, migrator: "// migrator" });
  await new Promise((resolve) => {
    pulumi.output(outputs).apply(resolve);
  });
  await pulumi.runtime.disconnect();
  const pod = recorder.all(JOB).find(({ name }) => name.includes("-migrate-"))!.inputs["spec"].template.spec;
  return { id: releaseId, pod, container: pod.containers[0] };
}

describe("with migrations.runner: command", () => {
  test("the app's image migrates, by Prisma's own command, inside the migrator", async () => {
    const { container } = await release(settings({ deadline: "10m", statementTimeout: "5m" }));
    expect(container.image).toBe("registry/notes:1");
    expect(container.command.at(-1)).toBe("/release/migrator.cjs");
    expect(container.args.slice(0, 2)).toEqual(["run", "--hold-contract"]);
    expect(container.args.slice(-7)).toEqual(["--command-timeout", "540s", "--", "npx", "prisma", "migrate", "deploy"]);
  });

  test("another command, its variables, and the variable of the app's URL are as the settings say", async () => {
    const env = { SHADOW: { secret: { name: "shadow", key: "url" } } };
    const { container } = await release(settings({ command: ["yarn", "migrate"], env }, { env: "SHOP_URL" }));
    expect(container.args.slice(-5)).toEqual(["--url-variable", "SHOP_URL", "--", "yarn", "migrate"]);
    expect(container.env).toContainEqual({
      name: "SHADOW",
      valueFrom: { secretKeyRef: { name: "shadow", key: "url" } },
    });
    // By the migration's role, not the app's.
    expect(container.env.filter(({ name }: { name: string }) => /URL/.test(name))).toEqual([
      { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "direct-url" } } },
    ]);
  });

  test("it may write below /tmp only, and stays as restricted as every pod", async () => {
    const { pod, container } = await release(settings());
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    expect(pod.volumes).toContainEqual({ name: "writable", emptyDir: {} });
    expect(container.volumeMounts).toContainEqual({ name: "writable", mountPath: "/tmp" });
    expect(container.env).toContainEqual({ name: "HOME", value: "/tmp" });
  });

  test("preflight is still ours, on the migrator's image; there is no Job for contract migrations", async () => {
    await release(settings(), true);
    expect(recorder.all(JOB)).toHaveLength(2);
    const [container] = recorder.all(JOB).find(({ name }) => name.includes("-preflight-"))!.inputs["spec"].template
      .spec.containers;
    expect(container).toMatchObject({ image: "node:22-alpine", command: ["node", "/release/migrator.cjs"] });
  });

  test("runner, command and variables decide the release", async () => {
    const ids: string[] = [];
    for (const changes of [{}, { command: ["yarn", "migrate"] }, { env: { A: "1" } }]) {
      recorder = new PulumiRecorder();
      await recorder.start();
      ids.push((await release(settings(changes))).id);
    }
    expect(new Set(ids).size).toBe(3);
  });
});

describe("a contract migration", () => {
  const migrations = [
    { name: "1_a", sql: "CREATE TABLE a (id int, old int);", checksum: "a" },
    { name: "2_b", sql: "-- release: contract\nALTER TABLE a DROP COLUMN old;", checksum: "b" },
  ];

  test("that the command would apply before the rollout ends the release before anything is touched", async () => {
    await expect(reviewGate(settings(), { migrations }, { migration: "1_a" })).rejects.toThrow(
      /2_b is marked `-- release: contract`.*\nNothing was touched.*\n.*migrations\.runner to migrator/,
    );
  });

  test.each([
    ["the first release", settings(), {}],
    ["one that is live already", settings(), { migration: "2_b" }],
    ["our own runner", settings({ runner: "migrator" }), { migration: "1_a" }],
  ])("is no obstacle to %s", async (_, of, live) => {
    await expect(reviewGate(of, { migrations }, live)).resolves.toBeDefined();
  });
});

describe("the app's image", () => {
  const home = mkdtempSync(join(tmpdir(), "app image "));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** Runs what the container runs, with this `node` in the image; undefined: none. */
  async function start(node: string | undefined) {
    const bin = mkdtempSync(join(home, "bin "));
    if (node === process.execPath) symlinkSync(node, join(bin, "node"));
    else if (node) {
      writeFileSync(join(bin, "node"), node);
      chmodSync(join(bin, "node"), 0o755);
    }
    writeFileSync(join(bin, "migrator.cjs"), 'console.log("started", process.argv.slice(2).join(" "))');
    const { container } = await release(settings());
    const [shell, ...words] = container.command;
    const args = [...words.slice(0, -1), join(bin, "migrator.cjs"), "run", "--", "npx prisma"];
    return spawnSync(shell, args, { env: { PATH: bin }, encoding: "utf8" });
  }

  test("with Node.js of its own starts the migrator", async () => {
    expect(await start(process.execPath)).toMatchObject({ status: 0, stdout: "started run -- npx prisma\n" });
  });

  test.each([
    ["without Node.js", undefined, "FAILED: there is no Node.js in the app image"],
    [
      "with an old Node.js",
      '#!/bin/sh\n[ "$1" = --version ] && echo v16.20.2 && exit 0\nexit 1\n',
      "FAILED: the app image has Node.js v16.20.2, and the migrator around migrations.command needs 20 or later.",
    ],
  ])("%s is told so, in three parts", async (_, node, what) => {
    const { status, stdout } = await start(node);
    expect(status).toBe(2);
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toContain(what);
    expect(lines.slice(1).map((line) => line.split(":")[0])).toEqual(["Database", "App", "Next"]);
  });
});
