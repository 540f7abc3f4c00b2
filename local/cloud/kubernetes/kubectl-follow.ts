import { closeSync, fstatSync, openSync, readSync } from "node:fs";
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
  let log: number | undefined;
  try {
    for (;;) {
      const now = openStore(cloudDir).get({ group: "", kind: "Pod", namespace, name }) as unknown as Pod | undefined;
      const ended = !now || isFinished(now);
      // The file is kept open, because its last lines are to be seen also if it was removed with the pod since the last
      // look.
      log ??= opened(file);
      const lines = log === undefined ? [] : wholeText(log).split("\n").slice(0, -1);
      for (; printed < lines.length; printed++) print(`${new Date(printed).toISOString()} ${lines[printed]}\n`);
      if (ended) return;
      await pause(LOOK_MILLISECONDS);
    }
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

/** Opens a file for reading; undefined if it does not exist. */
function opened(file: string): number | undefined {
  try {
    return openSync(file, "r");
  } catch {
    return undefined;
  }
}

function wholeText(file: number): string {
  const bytes = Buffer.alloc(fstatSync(file).size);
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0)).toString("utf8");
}
