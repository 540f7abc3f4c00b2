import { afterEach, beforeEach, expect, test } from "vitest";
import { stackDirectory } from "../../../local/engine";
import { loadState } from "../../../local/engine/state";
import { type Described, World } from "./world";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

const DISABLED = { "pulumi:disable-default-providers": '["fake"]' };
const INVOKE = { token: "fake:index:lookup", args: { word: "hello" } };
const EXPLICIT: Described[] = [
  { name: "own", type: "pulumi:providers:fake", inputs: { zone: "a" } },
  { name: "a", options: { provider: "own" } },
];

/** The names of the providers in the state, and the provider of each resource. */
function providers(): { made: string[]; used: Record<string, string> } {
  const resources = loadState(stackDirectory(world.directory, world.project, world.stack))?.resources ?? [];
  const name = (urn = "") => urn.split("::").at(-1)!;
  const custom = resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
  return {
    made: resources.filter(({ type }) => type.startsWith("pulumi:providers:")).map(({ urn }) => name(urn)),
    used: Object.fromEntries(custom.map(({ urn, provider }) => [name(urn), provider!.split("::").at(-2)!])),
  };
}

test("without default providers a resource must name one, in the CLI's words, and nothing is made", async () => {
  const refused = await world.up([{ name: "a" }], { config: DISABLED });
  expect(refused).toMatchObject({ ok: false, steps: [] });
  expect(refused.errors).toEqual([
    `Default provider for 'fake' disabled. '${world.urn("a")}' must use an explicit provider.`,
  ]);
  const all = { "pulumi:disable-default-providers": '["*"]' };
  expect((await world.preview([{ name: "a" }], { config: all })).errors).toEqual(refused.errors);
  expect(await world.up(EXPLICIT, { config: all })).toMatchObject({ ok: true, steps: ["create own", "create a"] });
  expect(providers()).toEqual({ made: ["own"], used: { a: "own" } });
});

test("without default providers a function must name one, and a list that is none is refused", async () => {
  const invoke = { "world:invoke": JSON.stringify(INVOKE) };
  const refused = await world.up([], { config: { ...DISABLED, ...invoke } });
  expect(refused.ok).toBe(false);
  expect(refused.errors.join()).toContain(
    "Invoke: Default provider for 'fake' disabled. 'fake:index:lookup' must use an explicit provider.",
  );
  const wrong = await world.up([], { config: { "pulumi:disable-default-providers": "[1]", ...invoke } });
  expect(wrong.errors.join()).toContain("pulumi:disable-default-providers[0] must be a string");
});

test("other packages keep their default providers, and a function creates one as a resource does", async () => {
  const config = { "pulumi:disable-default-providers": '["aws"]', "world:invoke": JSON.stringify(INVOKE) };
  expect(await world.up([], { config })).toMatchObject({ ok: true, outputs: { invoked: "hello" }, steps: [] });
  expect(providers().made).toEqual(["default"]);
});

test("a stack that was released with default providers goes on with explicit ones, and replaces nothing", async () => {
  await world.up([{ name: "a", inputs: { forceNew: 1 } }]);
  expect(providers()).toEqual({ made: ["default"], used: { a: "default" } });
  const [own, a] = EXPLICIT;
  const next = await world.up([own!, { ...a!, inputs: { forceNew: 1 } }]);
  expect(next).toMatchObject({ ok: true, steps: ["create own"] });
  expect(world.cloud.calls).toEqual([]);
  expect(providers()).toEqual({ made: ["own"], used: { a: "own" } });
});

test("a provider has the settings of its resource: what they don't allow fails, in a preview too, and nothing is made", async () => {
  const wrong = [{ name: "own", type: "pulumi:providers:fake", inputs: { account: "wrong" } }, EXPLICIT[1]!];
  for (const run of [world.preview, world.up]) {
    const refused = await run(wrong);
    expect(refused).toMatchObject({ ok: false, steps: ["create own"] });
    expect(refused.errors.join()).toContain("this account is not allowed");
  }
  expect(world.cloud.calls).toEqual([]);
});
