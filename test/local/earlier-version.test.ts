import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps } from "./cli";

/** The components that a release is built of, and that earlier versions did not have. */
const NEW_TYPES = ["release:index:DatabaseMigration", "release:index:AfterRollout"];

/** Rewrites a state as a version wrote it in which all steps were children of the Release. */
function asEarlierVersion(file: string): void {
  const state = JSON.parse(readFileSync(file, "utf8"));
  const resources = state.deployment.resources.filter(({ type }: { type: string }) => !NEW_TYPES.includes(type));
  const text = JSON.stringify({ ...state, deployment: { ...state.deployment, resources } });
  writeFileSync(file, text.replaceAll(new RegExp(NEW_TYPES.map((type) => `\\$${type}`).join("|"), "g"), ""));
}

describe.sequential("a stack that an earlier version released", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli();
  cli.addMigration("20270101000000_last", "-- release: contract\nCOMMENT ON TABLE notes IS 'notes';\n");
  cli.set("smoke.command", 'test -n "$RELEASE_URL"');
  afterAll(() => cli.end(), 60_000);
  const jobs = ["notes-preflight", "notes-migrate", "notes-contract"];

  test("has nothing to do after the upgrade: no Job runs again, and no snapshot is replaced", async () => {
    const first = await cli.run("up", "--json");
    expect(first.status, first.stdout + first.stderr).toBe(0);
    asEarlierVersion(join(cli.stateDir, "release/local/state.json"));
    const upgraded = await cli.run("up", "--json");
    expect(upgraded.status, upgraded.stdout + upgraded.stderr).toBe(0);
    expect(endedSteps(upgraded).filter(({ op }) => op !== "same")).toEqual([]);
  });

  test("makes its next release as usual, which takes the old Jobs away and keeps the snapshot", async () => {
    asEarlierVersion(join(cli.stateDir, "release/local/state.json"));
    const next = await cli.run("up", "--json", "--config", "app.image=notes:1.1.0");
    expect(next.status, next.stdout + next.stderr).toBe(0);
    const ended = endedSteps(next, "Job").map(({ op, name }) => `${op} ${name.replace(/-\w{12}$/, "")}`);
    expect(ended.sort()).toEqual(["create", "delete"].flatMap((op) => jobs.map((job) => `${op} ${job}`)).sort());
    expect(endedSteps(next, "Snapshot").filter(({ op }) => op !== "same")).toEqual([]);
  });
});
