import { afterEach, beforeEach, expect, test } from "vitest";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

test("a failed step stops what comes after it and every deletion; what ran beside it is finished and recorded", async () => {
  await world.up([{ name: "leftover" }], { outputs: { version: "1" } });
  world.cloud.trouble.set("create job", "fails");
  const release = world.cloud.hold("create beside");
  const failJob = world.cloud.hold("create job");
  const running = world.up([{ name: "job" }, { name: "beside" }, { name: "app", options: { dependsOn: ["job"] } }], {
    outputs: { version: "@app.address" },
  });
  await Promise.all([world.cloud.begun("create beside"), world.cloud.begun("create job")]);
  failJob();
  release();
  const failed = await running;
  expect(failed).toMatchObject({ ok: false, failed: ["create job"], errors: ["the cloud refused to create job"] });
  expect(failed.events).toContainEqual(
    expect.objectContaining({ status: "failed", error: "the cloud refused to create job" }),
  );
  expect(failed.outputs).toEqual({ version: "1" });
  expect(Object.keys(await world.resources()).sort()).toEqual(["beside", "leftover"]);

  world.cloud.trouble.clear();
  const repaired = await world.up([
    { name: "job" },
    { name: "beside" },
    { name: "app", options: { dependsOn: ["job"] } },
  ]);
  expect(repaired).toMatchObject({ ok: true, steps: ["create job", "create app", "delete leftover"] });
});

test("a resource that never becomes ready stays with its new inputs; the next up only waits for it again", async () => {
  const program = [{ name: "job", inputs: { release: 1 } }];
  world.cloud.trouble.set("create job", "unhealthy");
  const first = await world.up(program);
  expect(first).toMatchObject({ ok: false, errors: ["create job: it never became ready"] });
  const { job } = await world.resources();
  expect(job).toMatchObject({ id: "job-1", inputs: { release: 1 }, initErrors: ["create job: it never became ready"] });

  world.cloud.trouble.set("update job", "unhealthy");
  expect(await world.up(program)).toMatchObject({ ok: false, steps: ["update job"] });
  world.cloud.trouble.clear();
  expect(await world.up(program)).toMatchObject({ ok: true, steps: ["update job"] });
  expect((await world.resources())["job"]?.initErrors ?? []).toEqual([]);
  expect(await world.up(program)).toMatchObject({ ok: true, steps: [] });
});

test('with replaceOnChanges "*" a resource that never became ready is replaced by the next up', async () => {
  const options = { replaceOnChanges: ["*"], deleteBeforeReplace: true };
  const program = [{ name: "job", inputs: { release: 1 }, options }];
  world.cloud.trouble.set("create job", "unhealthy");
  await world.up(program);
  expect(await world.up(program)).toMatchObject({
    ok: false,
    steps: ["delete-replaced job", "replace job", "create-replacement job"],
  });
  world.cloud.trouble.clear();
  const repaired = await world.up(program);
  expect(repaired).toMatchObject({ ok: true, steps: ["delete-replaced job", "replace job", "create-replacement job"] });
  expect(world.cloud.things.size).toBe(1);
});

test("an update that did not become ready is tried again, as the state keeps the old inputs", async () => {
  const program = (image: string) => [{ name: "app", inputs: { image } }];
  await world.up(program("1"));
  world.cloud.trouble.set("update app", "unhealthy");
  expect((await world.up(program("2"))).ok).toBe(false);
  expect((await world.resources())["app"]).toMatchObject({ inputs: { image: "1" }, outputs: { image: "2" } });
  world.cloud.trouble.clear();
  const back = await world.up(program("1"));
  expect(back).toMatchObject({ ok: true, steps: ["update app"] });
  expect(world.cloud.things.get("app-1")).toMatchObject({ image: "1" });
});

test("a replacement that fails after the old one was deleted is created by the next up", async () => {
  const program = (force: number) => [{ name: "a", type: "fake:index:Single", inputs: { force } }];
  await world.up(program(1));
  world.cloud.trouble.set("create a", "fails");
  expect(await world.up(program(2))).toMatchObject({ ok: false, failed: ["create-replacement a"] });
  expect((await world.resources())["a"]).toMatchObject({ pendingReplacement: true });
  world.cloud.trouble.clear();
  expect((await world.up(program(2))).steps).toEqual(["replace a", "create-replacement a"]);
  expect(world.cloud.calls).toEqual(["create a"]);
});

test("a deletion that fails keeps the resource, and what it depends on", async () => {
  await world.up([{ name: "a" }, { name: "b", inputs: { from: "@a.address" } }]);
  world.cloud.trouble.set("delete b", "fails");
  expect(await world.up([])).toMatchObject({ ok: false, steps: ["delete b"] });
  expect(Object.keys(await world.resources())).toEqual(["a", "b"]);
});

test("inputs that a provider refuses end the run before anything is done about them", async () => {
  const refused = await world.up([{ name: "a", inputs: { wrong: true } }]);
  expect(refused).toMatchObject({ ok: false, steps: [] });
  expect(refused.errors).toEqual(["fake:index:Thing resource 'a': property wrong has a problem: is not right"]);
});

test("a program that throws says why in one line, and nothing is deleted", async () => {
  await world.up([{ name: "a" }]);
  const thrown = await world.up([], { config: { "world:throw": "app.image is missing" } });
  expect(thrown).toMatchObject({ ok: false, steps: [], errors: ["app.image is missing"] });
  expect(thrown.told).toEqual(["app.image is missing"]);
  expect(Object.keys(await world.resources())).toEqual(["a"]);
});

test("a program that cannot be read says where", async () => {
  const result = await world.up([], { config: { "world:resources": "{" } });
  expect(result.ok).toBe(false);
  expect(result.errors.join()).toContain("world:resources");
});

test("two resources of one name are refused", async () => {
  const result = await world.up([{ name: "a" }, { name: "a" }]);
  expect(result.ok).toBe(false);
  expect(result.errors[0]).toContain("Duplicate resource URN");
});

test("a package without a provider is named", async () => {
  const result = await world.up([{ name: "a", type: "gone:index:Thing" }]);
  expect(result).toMatchObject({ ok: false, steps: [] });
  expect(result.errors[0]).toContain('No provider for package "gone"');
});
