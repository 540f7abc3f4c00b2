import { afterEach, beforeEach, expect, test } from "vitest";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

/** Something that an `up` made and was killed before it could record it. */
async function leftBehind(inputs: Record<string, unknown>): Promise<string> {
  const other = new World("other");
  await other.up([{ name: "a", inputs }]);
  const [id, thing] = [...other.cloud.things][0]!;
  world.cloud.things.set(id, thing);
  other.remove();
  return id;
}

test("import takes over what exists, and is nothing to do from then on", async () => {
  const id = await leftBehind({ size: 1 });
  const program = [{ name: "a", inputs: { size: 1 }, options: { import: id } }];
  const first = await world.up(program);
  expect(first).toMatchObject({ ok: true, steps: ["import a"], summary: { import: 1 } });
  expect((await world.resources())["a"]).toMatchObject({ id, importID: id, inputs: { size: 1 } });
  expect(world.cloud.calls).toEqual([]);
  expect(await world.up(program)).toMatchObject({ ok: true, steps: [] });
  expect(await world.up([{ name: "a", inputs: { size: 1 } }])).toMatchObject({ ok: true, steps: [] });
});

test("import of something else than the program describes is refused, and changes nothing", async () => {
  const id = await leftBehind({ size: 2 });
  const refused = await world.up([{ name: "a", inputs: { size: 1 }, options: { import: id } }]);
  expect(refused.ok).toBe(false);
  expect(refused.errors.join()).toContain("inputs to import do not match the existing resource: size");
  expect(Object.keys(await world.resources())).toEqual([]);
  const ignored = { import: id, ignoreChanges: ["size"] };
  expect(await world.up([{ name: "a", inputs: { size: 1 }, options: ignored }])).toMatchObject({ ok: true });
  expect((await world.resources())["a"]?.inputs).toMatchObject({ size: 2 });
});

test("import of what does not exist fails", async () => {
  const failed = await world.up([{ name: "a", options: { import: "nothing" } }]);
  expect(failed.errors.join()).toContain("resource 'nothing' does not exist");
});
