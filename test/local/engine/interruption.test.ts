import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StackLockedError } from "../../../local/engine";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

const chain = [{ name: "job" }, { name: "app", options: { dependsOn: ["job"] } }];

test("the first request to stop lets the running step finish and starts nothing new", async () => {
  const stop = new AbortController();
  const release = world.cloud.hold("create job");
  const running = world.up(chain, { signal: stop.signal });
  await world.cloud.begun("create job");
  stop.abort();
  expect(world.cloud.requests["job"]?.signal?.aborted).toBe(true);
  release();
  expect(await running).toMatchObject({
    ok: false,
    canceled: true,
    steps: ["create job"],
    errors: ["up was canceled"],
  });
  expect(Object.keys(await world.resources())).toEqual(["job"]);
  expect((await world.up(chain)).steps).toEqual(["create app"]);
});

test("the second request does not wait; what was running is reported by the next up", async () => {
  const [stop, giveUp] = [new AbortController(), new AbortController()];
  const release = world.cloud.hold("create job");
  const running = world.up(chain, { signal: stop.signal, hardSignal: giveUp.signal });
  await world.cloud.begun("create job");
  stop.abort();
  giveUp.abort();
  expect(await running).toMatchObject({ ok: false, canceled: true });
  const pending = JSON.parse(world.stateText).deployment.pending_operations;
  expect(pending).toMatchObject([{ type: "creating", resource: { urn: world.urn("job") } }]);
  release();

  const next = await world.up(chain);
  expect(next).toMatchObject({ ok: true, steps: ["create job", "create app"] });
  expect(next.told[0]).toContain(`${world.urn("job")}, interrupted while creating`);
  expect((await world.up(chain)).told).toEqual([]);
});

test("only one command at a time changes a stack; a preview may look meanwhile", async () => {
  const release = world.cloud.hold("create job");
  const running = world.up(chain);
  await world.cloud.begun("create job");
  await expect(world.destroy()).rejects.toThrow(StackLockedError);
  const before = world.stateText;
  expect((await world.preview(chain)).ok).toBe(true);
  expect(world.stateText).toBe(before);
  release();
  expect((await running).ok).toBe(true);
});

test("a lock left by a killed command is taken over, also when its process id belongs to another program now", async () => {
  await world.up([]);
  const lock = join(dirname(world.stateFile), "lock");
  expect(existsSync(lock)).toBe(false);
  for (const left of [
    { pid: 2 ** 22 + 1, started: "1" },
    { pid: process.pid, started: "1" },
  ]) {
    writeFileSync(lock, JSON.stringify({ ...left, since: "before" }));
    expect((await world.up([{ name: String(left.pid) }])).ok).toBe(true);
  }
  writeFileSync(lock, "");
  expect((await world.up([])).ok).toBe(true);
  expect(existsSync(lock)).toBe(false);
});

test("a state file that is not readable is left alone and named", async () => {
  await world.up([{ name: "a" }]);
  writeFileSync(world.stateFile, "{");
  await expect(world.up([])).rejects.toThrow(world.stateFile);
  expect(readFileSync(world.stateFile, "utf8")).toBe("{");
});
