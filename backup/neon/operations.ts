import { setTimeout as pause } from "node:timers/promises";
import type { NeonBranch, NeonOperation } from "./answers";
import type { NeonApi } from "./api";

/** How long an operation or a branch may stay in trouble until it is given up, in milliseconds. Neon tries them again. */
export const TROUBLE_MS = 120_000;

/** The pauses between two looks, in milliseconds. Most branches are made within a second. */
const LOOK = { firstMs: 200, longestMs: 5_000 };

/** Neon has not done what it was asked for. */
export class OperationFailed extends Error {
  override readonly name = "OperationFailed";
}

/** Whether a branch has its data and can be relied upon. An archived one is only slower. */
export function isComplete({ current_state, pending_state }: NeonBranch): boolean {
  return (current_state === "ready" || current_state === "archived") && pending_state !== "init";
}

/**
 * Waits until Neon has done what a request has begun: https://neon.com/docs/manage/operations. A failed operation is not
 * final there, so it gets some time.
 * @throws OperationFailed if an operation is cancelled, or stays failed
 */
export async function settled(
  api: NeonApi,
  operations: readonly NeonOperation[],
  troubleMs: number = TROUBLE_MS,
): Promise<void> {
  for (const begun of operations) {
    let failedSince: number | undefined;
    await look(api, async () => {
      const { status, action, error } = await api.operation(begun.id);
      const why = `its operation ${action} is ${status}${error ? `: ${error}` : ""}`;
      if (status === "cancelled" || status === "error") throw new OperationFailed(why);
      if (status !== "failed") failedSince = undefined;
      else failedSince ??= Date.now();
      if (failedSince !== undefined && Date.now() - failedSince >= troubleMs) throw new OperationFailed(why);
      return status === "finished" || status === "skipped" ? true : undefined;
    });
  }
}

/**
 * Waits until a branch has its data.
 * @throws OperationFailed if it gets no nearer to that within `troubleMs`
 */
export async function readyBranch(api: NeonApi, id: string, troubleMs: number = TROUBLE_MS): Promise<NeonBranch> {
  const begun = Date.now();
  return look(api, async () => {
    const branch = await api.branch(id);
    if (isComplete(branch)) return branch;
    if (Date.now() - begun >= troubleMs) throw new OperationFailed(`its state is still ${branch.current_state}`);
    return undefined;
  });
}

async function look<T>(api: NeonApi, at: () => Promise<T | undefined>): Promise<T> {
  for (let pauseMs = LOOK.firstMs; ; pauseMs = Math.min(pauseMs * 1.5, LOOK.longestMs)) {
    const found = await at();
    if (found !== undefined) return found;
    await pause(pauseMs, undefined, { signal: api.access.signal });
  }
}
