import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listInstances } from "../../local/cloud/aws/records";
import { listObjects } from "../../local/cloud/kubernetes";
import { saveState, stackDirectory } from "../../local/engine/state";
import { STACK_TYPE, stackUrn } from "../../local/engine/urn";
import { fingerprint, readHistorySync } from "../../migrations/history/history";
import { query } from "../restore/world";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { listedActions, restoreActions } from "../support/readme";
import { Cli, endedSteps } from "./cli";

describe.sequential("a release whose migrations are to be proved before it", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(1);
  afterAll(() => cli.end(), 60_000);

  /** The stack of staging has a release with these migrations live. */
  function liveInStaging(of: string): void {
    const outputs = {
      image: "notes:1.0.0",
      migrations: { last: "20260401000000_required", count: 2, fingerprint: of },
    };
    const root = { urn: stackUrn("staging", "release"), custom: false, type: STACK_TYPE, outputs };
    const directory = stackDirectory(cli.stateDir, "release", "staging");
    mkdirSync(directory, { recursive: true });
    saveState(directory, { resources: [root], pendingOperations: [] });
  }

  test("touches nothing while another stack doesn't have them live, and names the command", async () => {
    cli.set("policy.proof", "[staging]");
    cli.set("policy.staging", "organization/release/staging");
    const ran = await cli.run("up");
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(/- staging: stack organization\/release\/staging can't be read: unknown stack/);
    expect(ran.stdout).toMatch(/It is made by: npm run local -- up --state-dir .* --stack staging\n/);
    expect(ran.stdout).toContain("no step was taken");
  });

  test("goes on when it has, and ends before production is touched when they fail on a copy with its rows", async () => {
    cli.addMigration("20260401000000_required", 'ALTER TABLE "notes" ADD COLUMN "colour" TEXT NOT NULL;');
    liveInStaging(fingerprint(readHistorySync(cli.migrations)));
    // The AWS credentials may do what the documentation lists, and nothing else.
    mkdirSync(cli.cloudDir(), { recursive: true });
    const granted = [...listedActions("instance"), ...restoreActions()];
    writeFileSync(join(cli.cloudDir(), "granted.json"), JSON.stringify(granted));
    cli.set("rehearsal.mode", "copy");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stdout + ran.stderr).toBe(1);
    expect(ran.stdout).toMatch(/"The rehearsal has failed, so this release ends before production is touched\.\\n/);
    expect(ran.stdout).toContain("Rehearsing the migrations on a copy of the database, made of snapshot notes-db-");
    expect(endedSteps(ran, "Snapshot")).toMatchObject([{ status: "succeeded" }]);
    expect(endedSteps(ran, "Job").map(({ name }) => name)).toEqual([expect.stringMatching(/^notes-preflight-/)]);
    expect(endedSteps(ran, "Deployment")).toEqual([]);
    const tables = await query(cli.connection().adminUrl, "SELECT FROM pg_tables WHERE schemaname = 'public'");
    expect(tables).toEqual([]);
    expect((await listInstances(cli.cloudDir())).map(({ identifier }) => identifier)).toEqual(["notes-db"]);
    const maps = listObjects(cli.cloudDir(), { kind: "ConfigMap", namespace: "default" });
    const proof = maps.find(({ metadata }) => metadata.name === "notes-rehearsal")!["data"].proof;
    expect(JSON.parse(proof)).toMatchObject({ result: "failed" });
  });
});
