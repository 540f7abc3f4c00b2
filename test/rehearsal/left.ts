import { listInstances } from "../../local/cloud/aws/records";
import { listObjects } from "../../local/cloud/kubernetes/index";
import type { World } from "../restore/world";

/** What is there without a rehearsal: the database, its Secret, and the proof of the last one. */
const EXPECTED = ["Secret notes-db-url", "ConfigMap notes-rehearsal", "notes-db"];

/** Returns the names of everything that a rehearsal of the stack has left: databases, and objects in the cluster. */
export async function leftBehind({ cloudDir }: World): Promise<string[]> {
  const objects = ["Job", "Pod", "Secret", "ConfigMap"].flatMap((kind) =>
    listObjects(cloudDir, { kind, namespace: "default" }).map(({ metadata }) => `${kind} ${metadata.name}`),
  );
  const databases = (await listInstances(cloudDir)).map(({ identifier }) => identifier);
  return [...objects, ...databases].filter((each) => !EXPECTED.includes(each));
}

/** Waits until nothing is left; what is deleted with its owner goes a moment after it. */
export async function untilNothingIsLeft(world: World, milliseconds = 30_000): Promise<string[]> {
  for (const began = Date.now(); ; ) {
    const left = await leftBehind(world);
    if (left.length === 0 || Date.now() - began > milliseconds) return left;
    await new Promise((again) => setTimeout(again, 50));
  }
}
