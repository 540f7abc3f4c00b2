import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readOutputs } from "../../../local/engine";
import { secret } from "../../../local/engine/values";
import { World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

const CANARY = "canary-5d1f";
const program = [
  {
    name: "a",
    inputs: { url: `secret:postgres://app:${CANARY}@db/app`, open: "x" },
    options: { additionalSecretOutputs: ["open"] },
  },
  { name: "b", inputs: { from: "@a.url", nested: { deep: `secret:${CANARY}` }, list: [`secret:${CANARY}`] } },
];

function filesOf(directory: string): string {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return names.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")).join("\n");
}

test("a secret is in no file and no event, but reaches the provider and the next run", async () => {
  const config = { "world:password": CANARY };
  const first = await world.up(program, { outputs: { url: "@b.from" }, config, secretKeys: ["world:password"] });
  expect(world.cloud.requests["b"]?.inputs).toMatchObject({ from: `postgres://app:${CANARY}@db/app`, list: [CANARY] });
  expect(first.outputs).toEqual({ url: "[secret]" });
  const second = await world.up(program, { outputs: { url: "@b.from" } });
  expect(second).toMatchObject({ ok: true, steps: [], outputs: { url: "[secret]" } });
  expect(await readOutputs(world.directory, "world", "test")).toEqual({ url: "[secret]" });
  const preview = await world.preview([...program, { name: "c", inputs: { from: "@b.nested" } }]);
  expect(filesOf(world.directory)).not.toContain(CANARY);
  expect(JSON.stringify([first, second, preview])).not.toContain(CANARY);
  expect((await world.resources())["a"]?.outputs).toMatchObject({
    url: secret(`postgres://app:${CANARY}@db/app`),
    open: secret("x"),
  });
});

test("a secret is blotted out of errors, also where only the password of a URL is quoted", async () => {
  world.cloud.trouble.set("create a", "fails");
  const original = world.cloud.create.bind(world.cloud);
  world.cloud.create = async (request) => {
    try {
      return await original(request);
    } catch {
      throw new Error(`cannot log in with ${CANARY} at ${request.inputs["url"]}`);
    }
  };
  const failed = await world.up(program);
  expect(failed.errors).toEqual(["cannot log in with [secret] at [secret]"]);
  expect(JSON.stringify(failed.events)).not.toContain(CANARY);
});

test("only the owner can read the key and the state, and without the key the state is of no use", async () => {
  await world.up(program);
  const key = join(dirname(world.stateFile), "state.key");
  expect(statSync(key).mode & 0o777).toBe(0o600);
  expect(statSync(world.stateFile).mode & 0o777).toBe(0o600);
  rmSync(key);
  await expect(world.up(program)).rejects.toThrow(/state\.key is missing/);
});
