import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Backup, type BackupPruner, parseSettings, Release } from "../../components";
import { RehearsalError } from "../../components/rehearsal";
import { PulumiRecorder } from "../support/pulumi-recorder";

const history = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};
const runner: BackupPruner = {
  ...{ start: "/package/bin/start.cjs", directory: "/program", namespace: "release", looksAtQuota: false },
  config: { "release:app": '{"name":"notes","image":"of-the-file:1"}' },
  environment: { AWS_SECRET_ACCESS_KEY: "canary-key" },
};
const planned: Backup = { identifier: "notes-db-ffffffffffff", exists: false };

let recorder: PulumiRecorder;
beforeEach(() => {
  recorder = new PulumiRecorder();
});
afterEach(() => pulumi.runtime.disconnect());

interface Situation {
  rehearsal?: object;
  preview?: boolean;
  rehearses?: boolean;
}

/** Declares a release. Mocks answer every command, so it goes to its end. */
async function declared({ rehearsal = {}, preview = false, rehearses = true }: Situation): Promise<any[]> {
  await recorder.start(preview);
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "built:2" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    rehearsal: { mode: "copy", ...rehearsal },
  });
  if (!settings) throw new Error(problems.join());
  new Release("notes", {
    ...{ settings, history, migrator: "", backup: planned },
    rehearsal: rehearses ? runner : undefined,
  });
  await pulumi.runtime.disconnect();
  return rehearsals();
}

const rehearsals = () =>
  recorder.calls
    .filter(({ token, inputs }) => token === "command:local:run" && String(inputs["command"]).includes("rehearse"))
    .map(({ inputs }) => inputs);
const jobs = () => recorder.all("kubernetes:batch/v1:Job").map(({ name }) => name);

describe("a release that has to rehearse its migrations", () => {
  test("does it on a copy of its own backup, and nothing of that is a resource", async () => {
    const info = vi.spyOn(pulumi.log, "info").mockResolvedValue();
    const [run, ...others] = await declared({});
    expect(others).toEqual([]);
    expect(info.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^Rehearsing .* made of snapshot notes-db-ffffffffffff \(at most 3h\) …$/),
      expect.stringMatching(/^The migrations have passed their rehearsal/),
    ]);
    info.mockRestore();
    expect(run.command).toBe("node /package/bin/start.cjs ops rehearse --stack test --to notes-db-ffffffffffff");
    const { config } = JSON.parse(run.environment.RELEASE_STACK_CONFIG);
    expect(JSON.parse(config["release:app"])).toEqual({ name: "notes", image: "built:2" });
    expect(JSON.stringify(recorder.registrations)).not.toMatch(/canary-key|rehearse/);
  });

  test("restores the latest moment if the settings say so", async () => {
    const [run] = await declared({ rehearsal: { from: "pitr" } });
    expect(run.command).not.toContain("--to");
  });

  test("begins the migration Job only when they have passed", async () => {
    const snapshot = recorder.hold("aws:rds/snapshot:Snapshot");
    const done = declared({});
    await snapshot.started;
    expect(rehearsals()).toEqual([]);
    const rehearsing = recorder.hold("rehearse");
    snapshot.finish();
    await rehearsing.started;
    // A registration that doesn't wait for the rehearsal has had its turn before a further one is answered.
    for (const turn of ["one", "two", "three"]) {
      const { urn } = new pulumi.ComponentResource("test:index:Turn", turn);
      await new Promise((answered) => urn.apply(answered));
    }
    expect(jobs()).toEqual([expect.stringMatching(/^notes-preflight-/)]);
    rehearsing.finish();
    await done;
    expect(jobs()).toEqual([expect.stringMatching(/^notes-preflight-/), expect.stringMatching(/^notes-migrate-/)]);
  });

  test("only announces it in a preview", async () => {
    const info = vi.spyOn(pulumi.log, "info").mockResolvedValue();
    expect(await declared({ preview: true })).toEqual([]);
    expect(info.mock.calls.map(([text]) => text)).toContain(
      "The migrations will be rehearsed on a copy of the database, made of snapshot notes-db-ffffffffffff.",
    );
    info.mockRestore();
  });
});

test("a release whose migrations are proved, or that has none, rehearses nothing", async () => {
  expect(await declared({ rehearses: false })).toEqual([]);
  expect(jobs()).toHaveLength(2);
});

describe("the error of a rehearsal", () => {
  test("says what failed, the state of database and app, and what is next", () => {
    const text =
      'exit status 1: running "node …":\nJob notes-rehearsal-1: deploy\nFAILED: On the copy: Migration 2_b failed.\n  ERROR: null values\nDatabase: production is untouched; the copy is removed.\nNext: correct the migrations, then the same command again\n';
    expect(new RehearsalError(text).message).toBe(
      "The rehearsal has failed, so this release ends before production is touched.\n" +
        "  On the copy: Migration 2_b failed.\n" +
        "    ERROR: null values\n" +
        "Database: production is untouched; the copy is removed.\n" +
        "App: not touched; the version that is serving goes on serving.\n" +
        "Next: correct the migrations, then the same command again",
    );
  });

  test("says that a copy may be left if the command said nothing", () => {
    expect(new RehearsalError("fork: resource temporarily unavailable\nmore").message).toMatch(
      /^The rehearsal has failed.*\n {2}fork: resource temporarily unavailable\nDatabase: production is untouched\. A copy may be left.*\nApp: .*\nNext: the same command again$/,
    );
  });
});
