import { afterEach, beforeEach, expect, test } from "vitest";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

test("a first up creates what the program asks for, a second one finds nothing to do", async () => {
  const program = [
    { name: "a", inputs: { size: 1 } },
    { name: "box", component: "my:index:Box", inputs: { label: "x" } },
    { name: "b", inputs: { from: "@a.address" }, options: { parent: "box" } },
  ];
  const first = await world.up(program, { outputs: { where: "@b.from" } });
  expect(first).toMatchObject({ ok: true, outputs: { where: "a-1.example" }, summary: { create: 4 }, errors: [] });
  expect(first.steps.indexOf("create a")).toBeLessThan(first.steps.indexOf("create b"));
  const { a, b, box } = await world.resources();
  expect(b).toMatchObject({
    parent: box?.urn,
    propertyDependencies: { from: [a?.urn] },
    outputs: { from: "a-1.example" },
  });
  expect(b?.urn).toBe("urn:pulumi:test::world::my:index:Box$fake:index:Thing::b");
  expect(box?.outputs).toEqual({ label: "x" });

  const before = world.stateText;
  const second = await world.up(program, { outputs: { where: "@b.from" } });
  expect(second).toMatchObject({ ok: true, steps: [], outputs: { where: "a-1.example" }, summary: { same: 4 } });
  expect(world.cloud.calls).toEqual([]);
  expect(world.stateText).toBe(before);
});

test("a change is an update, what left the program is deleted after what depended on it", async () => {
  const program = [{ name: "a", inputs: { size: 1 } }, { name: "b", inputs: { from: "@a.address" } }, { name: "c" }];
  await world.up(program);
  const changed = await world.up([{ name: "c", inputs: { size: 2 } }]);
  expect(changed.steps).toEqual(["update c", "delete b", "delete a"]);
  expect(changed.summary).toEqual({ same: 1, update: 1, delete: 2 });
  expect(Object.keys(await world.resources())).toEqual(["c"]);
});

test("a replacement is created first and deleted last", async () => {
  const program = (force: number) => [
    { name: "a", inputs: { force } },
    { name: "b", inputs: { from: "@a.address" } },
  ];
  await world.up(program(1));
  const replaced = await world.up(program(2));
  expect(replaced.steps).toEqual(["create-replacement a", "replace a", "update b", "delete-replaced a"]);
  expect(replaced.events).toContainEqual(
    expect.objectContaining({ op: "replace", replaces: ["force"], diffs: ["force"] }),
  );
  expect([...world.cloud.things.keys()]).toEqual(["b-2", "a-3"]);
});

test("deleteBeforeReplace of the provider or of the program deletes first", async () => {
  const program = (force: number) => [
    { name: "a", type: "fake:index:Single", inputs: { force } },
    { name: "b", inputs: { force }, options: { deleteBeforeReplace: true } },
    { name: "c", type: "fake:index:Single", inputs: { force }, options: { deleteBeforeReplace: false } },
  ];
  await world.up(program(1));
  const { steps } = await world.up(program(2));
  const of = (name: string) => steps.filter((step) => step.endsWith(` ${name}`));
  expect(of("a")).toEqual(["delete-replaced a", "replace a", "create-replacement a"]);
  expect(of("b")).toEqual(["delete-replaced b", "replace b", "create-replacement b"]);
  expect(of("c")).toEqual(["create-replacement c", "replace c", "delete-replaced c"]);
});

test("deleting first takes along what an unknown property would replace, and nothing that only dependsOn it", async () => {
  const program = (force: number) => [
    { name: "job", type: "fake:index:Single", inputs: { force } },
    { name: "consumer", inputs: { forceFrom: "@job.address" } },
    { name: "reader", inputs: { from: "@job.address" } },
    { name: "follower", inputs: { size: 1 }, options: { dependsOn: ["job"] } },
  ];
  await world.up(program(1));
  const { steps } = await world.up(program(2));
  expect(steps).toEqual([
    "delete-replaced consumer",
    "delete-replaced job",
    "replace job",
    "create-replacement job",
    ...["replace consumer", "create-replacement consumer", "update reader"].sort(
      (x, y) => steps.indexOf(x) - steps.indexOf(y),
    ),
  ]);
  expect(world.cloud.calls).not.toContain("update follower");
});

test("replaceOnChanges makes a replacement of a change that could be made in place", async () => {
  const program = (size: number) => [{ name: "a", inputs: { size }, options: { replaceOnChanges: ["size"] } }];
  await world.up(program(1));
  expect((await world.up(program(2))).steps).toEqual(["create-replacement a", "replace a", "delete-replaced a"]);
});

test("ignoreChanges keeps a property as it was", async () => {
  const program = (labels: Record<string, string>, ignoreChanges: string[]) => [
    { name: "a", inputs: { labels }, options: { ignoreChanges } },
  ];
  await world.up(program({ x: "1", y: "1" }, []));
  expect((await world.up(program({ x: "2", y: "1" }, ["labels.x"]))).steps).toEqual([]);
  expect((await world.up(program({ x: "2", y: "2" }, ["labels.x"]))).steps).toEqual(["update a"]);
  expect((await world.up(program({ y: "2" }, ["labels.x"]))).steps).toEqual([]);
  expect((await world.resources())["a"]?.inputs).toMatchObject({ labels: { x: "1", y: "2" } });
});

test("retainOnDelete leaves the thing and forgets it; what was recorded counts, not the program", async () => {
  await world.up([{ name: "kept", options: { retainOnDelete: true } }, { name: "gone" }]);
  const removed = await world.up([]);
  expect([...removed.steps].sort()).toEqual(["delete gone", "delete kept"]);
  expect(world.cloud.calls).toEqual(["delete gone"]);
  expect(removed.events).toContainEqual(expect.objectContaining({ op: "delete", name: "kept", retained: true }));
  expect([...world.cloud.things.keys()]).toHaveLength(1);
});

test("a protected resource is neither deleted nor replaced", async () => {
  await world.up([{ name: "a", inputs: { force: 1 }, options: { protect: true } }]);
  const replaced = await world.up([{ name: "a", inputs: { force: 2 }, options: { protect: true } }]);
  expect(replaced).toMatchObject({ ok: false, steps: [] });
  expect(replaced.errors[0]).toContain("marked for protection");
  const deleted = await world.destroy();
  expect(deleted.ok).toBe(false);
  expect(deleted.errors[0]).toContain("protected");
  expect(world.cloud.calls).toEqual([]);
  // Unprotecting and replacing may happen at once.
  expect((await world.up([{ name: "a", inputs: { force: 2 } }])).ok).toBe(true);
});

test("deletedWith leaves a deletion to the one it goes with", async () => {
  await world.up([{ name: "disk" }, { name: "file", options: { deletedWith: "disk" } }]);
  const { steps } = await world.up([]);
  expect(steps).toEqual(["delete file", "delete disk"]);
  expect(world.cloud.calls).toEqual(["delete disk"]);
});

test("what a protected resource depends on is not destroyed either", async () => {
  await world.up([{ name: "a" }, { name: "b", options: { dependsOn: ["a"], protect: true } }, { name: "c" }]);
  expect(await world.destroy()).toMatchObject({ ok: false, failed: ["delete b"] });
  expect(Object.keys(await world.resources())).toEqual(["a", "b"]);
});

test("children take protect over from their parent", async () => {
  const program = [
    { name: "box", component: "my:index:Box", options: { protect: true } },
    { name: "a", options: { parent: "box" } },
  ];
  await world.up(program);
  expect((await world.resources())["a"]?.protect).toBe(true);
});

test("a renamed resource with an alias is the same resource", async () => {
  await world.up([{ name: "old" }, { name: "b", inputs: { from: "@old.address" } }]);
  const aliases = [{ name: "old" }];
  const renamed = await world.up([
    { name: "new", options: { aliases } },
    { name: "b", inputs: { from: "@new.address" } },
  ]);
  expect(renamed).toMatchObject({ ok: true, steps: [] });
  const { b } = await world.resources();
  expect(b?.propertyDependencies).toEqual({ from: [world.urn("new")] });
  expect((await world.destroy()).steps).toEqual(["delete b", "delete new"]);
});

test("what is in a renamed component with an alias is the same, too", async () => {
  const child = { name: "group-child", options: { parent: "group" } };
  await world.up([{ name: "group", component: "my:index:Box" }, child]);
  const renamed = await world.up([
    { name: "team", component: "my:index:Box", options: { aliases: [{ name: "group" }] } },
    { ...child, name: "team-child", options: { parent: "team" } },
  ]);
  expect(renamed).toMatchObject({ ok: true, steps: [] });
});

test("a timeout of the program reaches the provider in seconds", async () => {
  await world.up([{ name: "a", options: { customTimeouts: { create: "1h30m" } } }]);
  expect(world.cloud.requests["a"]?.timeout).toBe(5400);
});

test("an existing thing can be read; it is never deleted", async () => {
  await world.up([{ name: "a", inputs: { size: 7 } }]);
  const id = [...world.cloud.things.keys()][0] as string;
  const other = new World("other");
  other.cloud.things.set(id, { size: 7, address: "there.example" });
  const read = await other.up([{ name: "x", get: id }], { outputs: { at: "@x.address" } });
  expect(read).toMatchObject({ ok: true, steps: ["read x"], outputs: { at: "there.example" } });
  expect((await other.resources())["x"]).toMatchObject({ external: true, id });
  expect((await other.up([])).steps).toEqual(["discard x"]);
  const missing = await other.up([{ name: "y", get: "nowhere" }]);
  expect(missing).toMatchObject({ ok: false, failed: ["read y"], errors: ["resource 'nowhere' does not exist"] });
  other.remove();
});

test("a provider can be a resource of the program", async () => {
  const program = [
    { name: "mine", type: "pulumi:providers:fake", inputs: { region: "north" } },
    { name: "a", options: { provider: "mine" } },
  ];
  const first = await world.up(program);
  expect(first.steps).toEqual(["create mine", "create a"]);
  expect((await world.resources())["a"]?.provider).toMatch(/pulumi:providers:fake::mine::[0-9a-f-]{36}$/);
  expect((await world.up(program)).steps).toEqual([]);
});
