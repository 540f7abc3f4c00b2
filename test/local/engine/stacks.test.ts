import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readOutputs, stackDirectory } from "../../../local/engine";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World("producer");
});
afterEach(() => world.remove());

const consume = (name: string) => ({
  stack: "consumer",
  config: { "world:referenced": JSON.stringify({ where: name, password: name }) },
});
const reference = (name: string) => [{ name, type: "pulumi:pulumi:StackReference" }];

test("another stack reads the outputs, by any of the three forms of its name; secrets stay secret", async () => {
  await world.up([{ name: "a" }], { outputs: { where: "@a.address", password: "secret:canary-77" } });
  for (const name of ["organization/world/producer", "world/producer", "producer"]) {
    const read = await world.up(reference(name), consume(name));
    expect(read).toMatchObject({ ok: true, outputs: { where: "a-1.example", password: "[secret]" } });
    expect(read.steps).toContain(`read ${name}`);
  }
  expect(existsSync(join(stackDirectory(world.directory, "world", "consumer"), "state.json"))).toBe(true);
});

test("a stack that does not exist is unknown; one that was destroyed has no outputs", async () => {
  const unknown = await world.up(reference("producer"), consume("producer"));
  expect(unknown).toMatchObject({ ok: false, errors: ['unknown stack "producer"'] });
  await world.up([], { outputs: { where: "x" } });
  await world.destroy();
  const empty = await world.up(reference("producer"), consume("producer"));
  expect(empty).toMatchObject({ ok: true, outputs: {} });
});

test("destroy deletes everything in reverse order, without the program, and keeps what is retained", async () => {
  await world.up([
    { name: "a", options: { retainOnDelete: true } },
    { name: "box", component: "my:index:Box" },
    { name: "b", inputs: { from: "@a.address" }, options: { parent: "box" } },
    { name: "c", options: { dependsOn: ["b"] } },
  ]);
  const destroyed = await world.destroy();
  expect(destroyed).toMatchObject({ ok: true, outputs: {} });
  expect(destroyed.steps.slice(0, 2)).toEqual(["delete c", "delete b"]);
  expect(destroyed.steps.slice(2).sort()).toEqual(["delete a", "delete box"]);
  expect(world.cloud.calls).toEqual(["delete c", "delete b"]);
  expect(await world.resources()).toEqual({});
  expect((await world.destroy()).steps).toEqual([]);
});

test("destroying a stack that was never deployed does nothing", async () => {
  expect(await world.destroy()).toMatchObject({ ok: true, steps: [] });
  await expect(readOutputs(world.directory, "world", "producer")).rejects.toThrow("nothing was deployed yet");
});

test("refresh takes over what was changed and forgets what is gone; up then repairs it", async () => {
  const program = [{ name: "a", inputs: { size: 1 } }, { name: "b", inputs: { from: "@a.address" } }, { name: "c" }];
  await world.up(program);
  const [a, b] = [...world.cloud.things.keys()].sort();
  world.cloud.things.delete(a as string);
  world.cloud.things.set(b as string, { ...world.cloud.things.get(b as string), from: "elsewhere" });
  const refreshed = await world.refresh();
  expect(refreshed).toMatchObject({ ok: true, summary: { delete: 1, update: 1, same: 2 } });
  const { b: now, a: gone } = await world.resources();
  expect(gone).toBeUndefined();
  expect(now).toMatchObject({ inputs: { from: "elsewhere" }, propertyDependencies: { from: [] } });
  expect((await world.up(program)).steps).toEqual(["create a", "update b"]);
});

test("names of stacks and projects can't leave the state directory", () => {
  expect(() => stackDirectory(world.directory, "world", "..")).toThrow("is no name for a stack");
  expect(() => stackDirectory(world.directory, "a/b", "x")).toThrow("is no name for a project");
  expect(dirname(stackDirectory(world.directory, "world", "x"))).toBe(join(world.directory, "world"));
});
