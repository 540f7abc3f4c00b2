import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endedSteps } from "../../local/cli";
import { query } from "../world";
import { BAD, GOOD, SwitchStage } from "./stage";

const stage = new SwitchStage();
/** The rows of the source when the app was moved away from it. */
let left: string;

beforeAll(() => stage.build(), 300_000);
afterAll(() => stage.cli.end());

describe.sequential("an app that is moved to a copy of its database", { timeout: 300_000 }, () => {
  test("is told before what would be lost, table by table, and nothing is changed", async () => {
    const { status, stdout, stderr } = await stage.restore("switch", stage.copy, "--plan");
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`schema  ${GOOD}`);
    expect(stdout).toMatch(/image {3}notes:1\.0\.0 \(of release \w+, the last one with this schema\)/);
    expect(stdout).toMatch(/release:migrations\.until +\(not set\) +2026/);
    expect(stdout).toContain("notes: 1 inserted; 1 inserted after the migrations");
    expect(stdout).toMatch(/Nothing was changed\. To do it: npm run local -- restore .* --accept-loss\n/);
    expect(stage.has("Secret", stage.copy)).toBe(false);
  });

  test("goes on where it is, without a pause, unless the loss is accepted", async () => {
    const { status, stderr } = await stage.restore("switch", stage.copy);
    expect([status, stderr]).toEqual([1, expect.stringContaining("nothing was moved; the app runs as before.")]);
    expect(await stage.health()).toMatchObject({ version: "1.1.0", schemaVersion: BAD });
    expect([stage.replicas(), stage.has("ConfigMap", "notes-switch")]).toEqual([2, false]);
  });

  test("comes back at once, without a release, when the command was killed while the app was stopped", async () => {
    const child = stage.startRestore("switch", stage.copy, "--accept-loss");
    const ended = stage.cli.finish(child);
    child.stdout!.on("data", (text) => {
      if (String(text).includes("Stopped:")) process.kill(-child.pid!, "SIGKILL");
    });
    await ended;
    expect(stage.replicas()).toBe(0);
    const back = await stage.restore("switch-back");
    expect(back.status, back.stderr).toBe(0);
    expect(back.stdout).toContain("The app uses notes-db again.");
    expect(back.stdout).not.toContain("$ npm run local -- up");
    expect([stage.replicas(), stage.has("ConfigMap", "notes-switch")]).toEqual([2, false]);
  });

  test("serves the old version from the copy, after one release", async () => {
    const words = ["switch", stage.copy, "--accept-loss"];
    const child = stage.startRestore(...words);
    const killed = stage.cli.finish(child);
    // Killed in the middle of its release, the same command goes on.
    child.stdout!.on("data", (text) => {
      if (String(text).includes("notes-migrate")) process.kill(-child.pid!, "SIGKILL");
    });
    await killed;
    left = await stage.rows();
    const { status, stdout, stderr } = await stage.restore(...words);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("and goes on.");
    expect(stdout).toContain(`The app uses ${stage.copy}, with notes:1.0.0.`);
    expect(await stage.health()).toMatchObject({ version: "1.0.0", schemaVersion: GOOD });
    const { adminUrl } = stage.cli.connection("local", stage.copy);
    expect(await query(adminUrl, "SELECT subject FROM notes ORDER BY id")).toEqual([
      { subject: "Welcome" },
      { subject: "kept" },
    ]);
    expect(await stage.rows()).toBe(left);
  });

  test("stays there: the next release changes nothing, and the switch is done", async () => {
    const again = await stage.must("up", "--json");
    expect(endedSteps(again).filter(({ op }) => op !== "same")).toEqual([]);
    const { status, stdout } = await stage.restore("switch", stage.copy);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`The app uses ${stage.copy}`)]);
    const removed = await stage.restore("remove", stage.copy);
    expect([removed.status, removed.stderr]).toEqual([2, expect.stringContaining(`The app uses ${stage.copy}.`)]);
  });

  test("goes back, after it is told what was written to the copy since", async () => {
    const { adminUrl } = stage.cli.connection("local", stage.copy);
    await query(adminUrl, "INSERT INTO notes (title, subject, body) VALUES ('new', 'new', '')");
    const refused = await stage.restore("switch-back");
    expect([refused.status, refused.stdout]).toEqual([1, expect.stringContaining("notes: 1 inserted\n")]);
    const { status, stdout, stderr } = await stage.restore("switch-back", "--accept-loss");
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("The app uses notes-db again.");
    expect(await stage.health()).toMatchObject({ version: "1.1.0", schemaVersion: BAD });
    expect(await stage.rows()).toBe(left);
    expect(stage.has("ConfigMap", "notes-switch")).toBe(false);
  });

  test("leaves a copy that is removed with its Secret, and printed no password in all of the above", async () => {
    expect(stage.has("Secret", stage.copy)).toBe(true);
    const { status, stderr } = await stage.restore("remove", stage.copy);
    expect(status, stderr).toBe(0);
    expect(stage.has("Secret", stage.copy)).toBe(false);
    for (const password of stage.passwords()) expect(stage.cli.printed.join("")).not.toContain(password);
  });
});
