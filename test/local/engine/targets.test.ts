import { afterEach, beforeEach, expect, test } from "vitest";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

const program = (release: number) => [
  { name: `job-${release}` },
  { name: "app", inputs: { image: release }, options: { dependsOn: [`job-${release}`] } },
  { name: "other", inputs: { size: release } },
];

test("a target whose new dependency is not among the targets is refused: the migration can't be passed by", async () => {
  await world.up(program(1));
  const refused = await world.up(program(2), { targets: [world.urn("app")] });
  expect(refused).toMatchObject({ ok: false, steps: [] });
  expect(refused.errors).toEqual([
    `Resource '${world.urn("app")}' depends on '${world.urn("job-2")}' which was not specified in --target list.`,
  ]);
  const preview = await world.preview(program(2), { targets: [world.urn("app")] });
  expect(preview.errors).toEqual(refused.errors);
});

test("only targets are touched, and what is not a target stays as it was", async () => {
  await world.up(program(1));
  const targets = [world.urn("app"), "**::job-2"];
  const result = await world.up(program(2), { targets });
  expect(result).toMatchObject({ ok: true, steps: ["create job-2", "update app"] });
  const resources = await world.resources();
  expect(Object.keys(resources).sort()).toEqual(["app", "job-1", "job-2", "other"]);
  expect(resources["other"]?.inputs).toMatchObject({ size: 1 });
  expect((await world.up(program(2))).steps).toEqual(["update other", "delete job-1"]);
});

test("a target that does not exist is an error", async () => {
  const result = await world.up([], { targets: [world.urn("nobody")] });
  expect(result).toMatchObject({
    ok: false,
    errors: [`Target '${world.urn("nobody")}' could not be found in the stack.`],
  });
});

test("destroying a target is refused while something that is no target depends on it", async () => {
  await world.up(program(1));
  const refused = await world.destroy({ targets: [world.urn("job-1")] });
  expect(refused).toMatchObject({ ok: false, steps: [] });
  expect(refused.errors[0]).toContain(`Resource '${world.urn("app")}' will be destroyed but was not specified`);
  const both = await world.destroy({ targets: [world.urn("job-1"), world.urn("app")] });
  expect(both).toMatchObject({ ok: true, steps: ["delete app", "delete job-1"] });
});
