import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Backup, type BackupPruner, parseSettings, Release, type ReleaseArgs } from "../../components";
import { pruneMessages } from "../../components/prune-backups";
import { PulumiRecorder } from "../support/pulumi-recorder";

const history = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};
const pruner: BackupPruner = {
  ...{ start: "/package/bin/start.cjs", directory: "/program", namespace: "release", looksAtQuota: true },
  config: { "release:app": "{}" },
  environment: { AWS_SECRET_ACCESS_KEY: "canary-key" },
};
const planned: Backup = { identifier: "notes-db-ffffffffffff", exists: false };

let recorder: PulumiRecorder;
beforeEach(() => {
  recorder = new PulumiRecorder();
});
afterEach(() => pulumi.runtime.disconnect());

async function released(
  backup: object,
  more: Partial<ReleaseArgs> = {},
): Promise<{ command: string; environment: any }[]> {
  await recorder.start();
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    backup,
  });
  if (!settings) throw new Error(problems.join());
  new Release("notes", { settings, history, migrator: "", backup: planned, pruner, ...more });
  await pulumi.runtime.disconnect();
  return recorder.calls
    .filter(({ token, inputs }) => token === "command:local:run" && String(inputs["command"]).includes("prune"))
    .map(({ inputs }) => ({ command: inputs["command"], environment: inputs["environment"] }));
}

describe("after a completed release", () => {
  test("old backups are removed, with the outputs of this release, and none of it is a resource", async () => {
    const [run, ...others] = await released({ keep: { last: 3 } });
    expect(others).toEqual([]);
    expect(run!.command).toBe("node /package/bin/start.cjs ops prune --stack test --json --timeout 10m");
    expect(JSON.parse(run!.environment.RELEASE_STACK_OUTPUTS)).toMatchObject({
      backup: { id: "notes-db-ffffffffffff" },
    });
    expect(JSON.parse(run!.environment.RELEASE_STACK_CONFIG)).toMatchObject({
      config: { "release:app": "{}", "release:namespace": "default" },
    });
    expect(JSON.stringify(recorder.registrations)).not.toMatch(/canary-key|prune/);
  });

  test("what the release before relied on stays", async () => {
    const at = "2026-11-21T10:00:00Z";
    const copy = { id: "copy-1", location: "arn", region: "eu-west-1" };
    const published = {
      kind: "snapshot",
      id: "before-1",
      location: "arn",
      createdAt: at,
      completedAt: at,
      checksum: null,
      copy,
    } as const;
    const [run] = await released({ keep: { last: 3 } }, { backup: { ...planned, published } });
    expect(run!.command).toMatch(/ --except before-1 --except copy-1$/);
  });

  test.each([
    ["a release of only a new image", { keep: { last: 3 } }, { backup: { ...planned, needed: false } }],
    ["a program that gives no way to do it", { keep: { last: 3 } }, { pruner: undefined }],
    ["a local cloud without backup.keep", {}, { pruner: { ...pruner, looksAtQuota: false } }],
  ])("nothing is looked for after %s", async (_, backup, more) => {
    expect(await released(backup, more)).toEqual([]);
  });

  test("without backup.keep only the quota of snapshots is looked at", async () => {
    expect(await released({})).toHaveLength(1);
  });
});

describe("what is told of a removal", () => {
  const pruned = (gone: string[], warnings: string[] = []) =>
    JSON.stringify({ event: "pruned", places: [{ place: "p", gone: gone.map((id) => ({ id })), warnings }] });

  test("names what was removed, and the warnings", () => {
    expect(pruneMessages(`${pruned(["a", "b"], ["80 of 100"])}\n`, "prod")).toEqual({
      removed: ["Removed 2 old backups: a, b"],
      failed: [],
      warnings: ["80 of 100"],
    });
    expect(pruneMessages(pruned([]), "prod")).toEqual({ removed: [], failed: [], warnings: [] });
  });

  test("has the state and the next command when the command failed, also after some were removed", () => {
    const text = `exit status 1: running "node …":\n${pruned(["a"])}\nFAILED: RDS refused it.\nDatabase: untouched\nNext: do this\n`;
    expect(pruneMessages(text, "prod")).toMatchObject({
      removed: ["Removed 1 old backup: a"],
      failed: [
        "Old backups were not all removed: RDS refused it.\nThe release is complete: the database is migrated, and the new version serves.\nNext: do this",
      ],
    });
  });

  test.each(["fork: resource temporarily unavailable", "", "exit status 70\nsomething"])(
    "is never an error: %j",
    (text) => {
      expect(pruneMessages(text, "prod").failed[0]).toMatch(/\nNext: npm run ops -- prune --stack prod$/);
    },
  );
});
