import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { removeFolders } from "../by-hand/project";
import { World } from "../restore/world";
import { untilNothingIsLeft } from "./left";

const world = new World({ prod: { database: { identifier: "notes-db", secret: { name: "notes-db-url" } } } });

beforeAll(() => world.database("instance", "notes-db", true), 240_000);
afterAll(async () => {
  await world.remove();
  removeFolders();
}, 120_000);

const proof = () =>
  listObjects(world.cloudDir, { kind: "ConfigMap", namespace: "default" }).find(
    ({ metadata }) => metadata.name === "notes-rehearsal",
  )?.["data"].proof as string | undefined;

describe.sequential("a rehearsal that is ended", { timeout: 300_000 }, () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s removes its copy, and proves nothing", async (signal, expected) => {
    const { child, ended } = await world.startCommand("ops", "rehearse", "--stack", "prod");
    const working = new Promise<void>((seen) => {
      child.stdout!.on("data", (text) => /RestoreDBInstance|: creating/.test(String(text)) && seen());
    });
    await Promise.race([working, ended]);
    child.kill(signal);
    const { status, out, err } = await ended;
    expect(status, out + err).toBe(expected);
    expect(err).toContain("FAILED: Interrupted.\nDatabase: production is untouched; the copy is removed.");
    expect(await untilNothingIsLeft(world)).toEqual([]);
    expect(proof()).toBeUndefined();
  });

  test("by its time limit removes its copy, and has failed", async () => {
    const { status, out, err } = await world.ops("rehearse", "--stack", "prod", "--timeout", "3s");
    expect(status, out + err).toBe(1);
    expect(err).toContain("On the copy: The rehearsal took longer than 3 s (rehearsal.timeout).");
    expect(await untilNothingIsLeft(world)).toEqual([]);
    expect(JSON.parse(proof()!)).toMatchObject({ result: "failed", reason: expect.stringContaining("took longer") });
  });

  test("does not begin while another one is at work, and that one goes on", async () => {
    const first = await world.startCommand("ops", "rehearse", "--stack", "prod");
    const begun = new Promise<void>((seen) => {
      first.child.stdout!.on("data", () => seen());
    });
    await Promise.race([begun, first.ended]);
    const pruned = await world.ops("prune", "--stack", "prod");
    expect(pruned.out).toContain("Copies of rehearsals: 0 copies removed, 1 stays.");
    const second = await world.ops("rehearse", "--stack", "prod");
    expect([second.status, second.err]).toEqual([
      6,
      expect.stringContaining("FAILED: A rehearsal is at work (process"),
    ]);
    const { status, out, err } = await first.ended;
    expect(status, out + err).toBe(0);
  });
});
