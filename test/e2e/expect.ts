import assert from "node:assert/strict";
import { list } from "./kubectl";
import type { Release, World } from "./world";

export function succeeded({ result, said }: Release): void {
  assert.ok(result.ok, said);
}

export function failed({ result, overdue, seconds }: Release): void {
  assert.ok(!overdue, `it did not end by itself within ${seconds.toFixed(0)} s`);
  assert.ok(!result.ok, "it should have failed");
}

/** The next plain `up` finishes what another one began; the migration was applied once. */
export async function goesOn(world: World, migration: string): Promise<void> {
  succeeded(await world.run("up", "up"));
  assert.equal((await world.applied()).filter((name) => name === migration).length, 1);
}

/** A pod that is leaving still answers for a moment, as it should. */
export async function serves({ result }: Release, version: string): Promise<void> {
  let said = "";
  const answers = async () => {
    const answer = await fetch(`${result.outputs["url"]}/health`, { signal: AbortSignal.timeout(10_000) });
    said = await answer.text();
    return (JSON.parse(said) as { version: string }).version === version;
  };
  await until(answers, 60).catch((error: Error) => assert.fail(`${error.message}: the app answers ${said}`));
}

/** Where the app's Service answers on the node. */
export async function address(world: World): Promise<string> {
  const [service] = await list(world.namespace, "services");
  const [node] = await list("default", "nodes");
  const host = node.status.addresses.find((each: { type: string }) => each.type === "InternalIP").address;
  return `http://${host}:${service.spec.ports[0].nodePort}`;
}

export async function until(condition: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `it did not come about within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
