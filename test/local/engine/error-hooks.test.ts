import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineEvent } from "../../../local/engine";
import { type Described, World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

const job = (onError: string, image = "1"): Described[] => [{ name: "job", inputs: { image }, options: { onError } }];

/** The trouble is over when this is told. */
const clearAt = (message: string) => (event: EngineEvent) => {
  if (event.kind === "diagnostic" && event.message.includes(message)) world.cloud.trouble.clear();
};

test("what failed is done again for as long as the program's hook asks for it; a deletion, for which no program runs, is not", async () => {
  world.cloud.trouble.set("create job", "fails");
  const ran = await world.up(job("asks again"), { onEvent: clearAt("(2/100)") });
  expect(ran).toMatchObject({ ok: true, steps: ["create job"], failed: [] });
  expect(world.cloud.calls).toEqual(["create job", "create job", "create job"]);
  const refusal = "the cloud refused to create job";
  const asked = { id: "", name: "job", type: "fake:index:Thing", failedOperation: "create" };
  const hooks = ran.told.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  expect(hooks).toMatchObject([
    { ...asked, newInputs: { image: "1" }, errors: [refusal] },
    { ...asked, errors: [refusal, refusal] },
  ]);
  expect(hooks[0]).not.toHaveProperty("oldInputs");
  expect(ran.told).toContain("retrying create due to on-error hook request (1/100)");
  expect((await world.resources())["job"]).toMatchObject({
    id: "job-3",
    resourceHooks: { OnError: ["job: asks again"] },
  });
  expect(await world.up(job("asks again"))).toMatchObject({ ok: true, steps: [] });

  world.cloud.trouble.set("update job", "fails");
  const update = await world.up(job("asks again", "2"), { onEvent: clearAt("retrying update") });
  expect(update).toMatchObject({ ok: true, steps: ["update job"] });
  expect(world.cloud.calls).toEqual(["update job", "update job"]);
  expect(JSON.parse(update.told.find((line) => line.startsWith("{"))!)).toMatchObject({
    id: "job-3",
    failedOperation: "update",
    oldInputs: { image: "1" },
    newInputs: { image: "2" },
  });

  world.cloud.trouble.set("delete job", "fails");
  expect(await world.destroy()).toMatchObject({ ok: false, errors: ["the cloud refused to delete job"] });
  expect(world.cloud.calls).toEqual(["delete job"]);
});

test("a hook that does not ask for another try leaves the error as it is", async () => {
  world.cloud.trouble.set("create job", "fails");
  const ran = await world.up(job("does not ask"));
  expect(ran).toMatchObject({ ok: false, errors: ["the cloud refused to create job"] });
  expect(world.cloud.calls).toEqual(["create job"]);
});

test("the error of a hook takes the place of the operation's, unless the resource exists", async () => {
  world.cloud.trouble.set("create job", "fails");
  const refused = 'error hooks execution failed: error hook "job: gives up" failed: it took too long';
  expect(await world.up(job("gives up"))).toMatchObject({ ok: false, errors: [refused] });
  expect(await world.resources()).toEqual({});

  world.cloud.trouble.set("create job", "unhealthy");
  const unhealthy = ["create job: it never became ready"];
  expect(await world.up(job("gives up"))).toMatchObject({ ok: false, errors: unhealthy });
  expect((await world.resources())["job"]).toMatchObject({ initErrors: unhealthy });
});

test("after 100 tries the engine asks no hook any more", async () => {
  world.cloud.trouble.set("create job", "fails");
  const ran = await world.up(job("asks again"));
  expect(ran).toMatchObject({ ok: false, errors: ["maximum number of error hook retries reached"] });
  expect(world.cloud.calls).toHaveLength(100);
  expect(ran.told).toContain("maximum number of error hook retries (100) reached");
});

test("a request to stop ends the wait of a hook", async () => {
  const stop = new AbortController();
  world.cloud.trouble.set("create job", "fails");
  const onEvent = (event: EngineEvent) => {
    if (event.kind === "diagnostic" && event.message.includes("failedOperation")) stop.abort();
  };
  const ran = await world.up(job("never answers"), { signal: stop.signal, onEvent });
  expect(ran).toMatchObject({ ok: false, canceled: true, failed: ["create job"] });
  expect(await world.resources()).toEqual({});
});

test("two hooks of one name end the program", async () => {
  const twice = [...job("asks again"), { ...job("asks again")[0]!, type: "fake:index:Single" }];
  const ran = await world.up(twice);
  expect(ran.ok).toBe(false);
  expect(ran.errors.join("\n")).toContain('resource hook already registered for name "job: asks again"');
});
