import { existsSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UNKNOWN } from "../../../local/cloud/provider";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

test("a preview of a first release tells what would be created and touches nothing", async () => {
  const seen: unknown[] = [];
  const check = world.cloud.check.bind(world.cloud);
  world.cloud.check = (request) => {
    seen.push(request.news["from"]);
    return check(request);
  };
  const program = [{ name: "a" }, { name: "b", inputs: { from: "@a.address" } }];
  const result = await world.preview(program, { outputs: { where: "@b.from" } });
  expect(result).toMatchObject({ ok: true, steps: ["create a", "create b"], outputs: { where: "[unknown]" } });
  expect(seen).toContain(UNKNOWN);
  expect(world.cloud.calls).toEqual([]);
  expect(existsSync(world.stateFile)).toBe(false);
});

test("a preview takes the same steps as the up after it", async () => {
  const program = (force: number) => [
    { name: "job", type: "fake:index:Single", inputs: { force } },
    { name: "consumer", inputs: { forceFrom: "@job.address" } },
    { name: "kept", inputs: { force }, options: { retainOnDelete: true } },
    { name: "app", inputs: { size: force }, options: { dependsOn: ["job"] } },
  ];
  await world.up([...program(1), { name: "gone" }]);
  const before = world.stateText;
  const preview = await world.preview(program(2));
  expect(world.stateText).toBe(before);
  expect(world.cloud.calls).toEqual([]);
  const up = await world.up(program(2));
  expect(preview.steps.sort()).toEqual(up.steps.sort());
  expect(preview.summary).toEqual(up.summary);
});

test("functions of a provider answer, also in a preview, and their errors reach the program", async () => {
  const invokes = { token: "fake:index:lookup", args: { word: "hello" } };
  const asked = await world.preview([], { config: { "world:invoke": JSON.stringify(invokes) } });
  expect(asked).toMatchObject({ ok: true, outputs: { invoked: "hello" } });
  const wrong = await world.up([], {
    config: { "world:invoke": JSON.stringify({ ...invokes, args: { wrong: true } }) },
  });
  expect(wrong.ok).toBe(false);
  expect(wrong.errors.join("\n")).toContain(
    "invocation of fake:index:lookup returned an error: there is no such thing",
  );
  expect(wrong.durationMs).toBeLessThan(20_000);
});

test("a function that depends on a resource waits for it, and in a preview is not called before it exists", async () => {
  const program = [{ name: "a" }];
  const invoke = { token: "fake:index:lookup", args: { word: "hello" }, dependsOn: ["a"] };
  const config = { "world:invoke": JSON.stringify(invoke) };
  expect((await world.preview(program, { config })).outputs).toEqual({ invoked: "[unknown]" });
  expect((await world.up(program, { config })).outputs).toEqual({ invoked: "hello" });
});
