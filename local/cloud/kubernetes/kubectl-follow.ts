import { existsSync, readFileSync } from "node:fs";
import { pause } from "./pause";
import { containerLog } from "./pod-directory";
import { isFinished, type Pod } from "./pod-types";
import { openStore } from "./store";

const LOOK_MILLISECONDS = 50;

/**
 * Prints a container's log until the container has ended, each line with a time before it. The local log has no times, so
 * the number of a line stands for its time.
 * @param since the time after which lines are printed; default: all
 */
export async function follow(
  cloudDir: string,
  pod: { name: string; namespace: string; container: string },
  since: string | undefined,
  print: (text: string) => void,
): Promise<void> {
  const { name, namespace, container } = pod;
  const file = containerLog(cloudDir, pod, container);
  let printed = since === undefined ? 0 : Date.parse(since) + 1;
  for (;;) {
    const now = openStore(cloudDir).get({ group: "", kind: "Pod", namespace, name }) as unknown as Pod | undefined;
    const ended = !now || isFinished(now);
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
    for (; printed < lines.length; printed++) print(`${new Date(printed).toISOString()} ${lines[printed]}\n`);
    if (ended) return;
    await pause(LOOK_MILLISECONDS);
  }
}
