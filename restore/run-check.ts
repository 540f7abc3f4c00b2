import { CommandFailure, EXIT } from "../by-hand/failure";
import { type ReleaseFacts, releaseFacts } from "../by-hand/release-facts";
import type { Output } from "../by-hand/run-job";
import type { CommandStack } from "../by-hand/stack";
import { formatDuration } from "../text/short-duration";
import { recordCheck } from "./check-record";
import type { RestoreCommand } from "./options";
import { announcement } from "./print";
import type { RestorePlan, RestoreTarget } from "./target";
import { verifyCopy } from "./verification";

/** What a check works with. */
export interface CheckRun {
  readonly command: Extract<RestoreCommand, { verb: "check" }>;
  readonly stack: CommandStack;
  readonly target: RestoreTarget;
  /** Is aborted by Ctrl-C. */
  readonly stop: AbortSignal;
}

/**
 * Restores the newest backup beside its source, looks whether everything is in it, measures the time, and removes the
 * copy, whatever happens. What an earlier check has left, because it was killed, is removed first. The result is kept
 * in the cluster for the page of the next release.
 * @returns the exit status
 * @throws CommandFailure if the backup can't be restored, or the copy lacks something
 */
export async function runCheck(run: CheckRun, output: Output): Promise<number> {
  const { command, stack, target, stop } = run;
  const say = command.json ? output.say : output.log;
  const facts = await releaseFacts(process.cwd(), stack.name, command.outputs);
  await removeLeftover(target, say);
  const began = Date.now();
  const at = new Date(began).toISOString();
  let plan: RestorePlan | undefined;
  let failure: unknown;
  try {
    plan = await target.plan({ to: undefined, name: target.fixedName("check"), facts, now: new Date() });
    for (const line of announcement(plan, stack.name)) say(line);
    await restored(run, plan, facts, { ...output, say });
  } catch (error) {
    failure = error;
  }
  const milliseconds = Date.now() - began;
  if (plan) await removeAgain(target, { name: plan.copy, exists: failure === undefined }, output.say);
  const backup = plan?.from ?? "the newest backup";
  // A check that somebody interrupted says nothing about the backup.
  if (stop.aborted) throw failure ?? interrupted();
  const result = failure === undefined ? "restored" : "failed";
  const reason = failure instanceof Error ? (failure.message.split("\n")[0] ?? "") : undefined;
  await recordCheck(stack, { backup, at, seconds: Math.max(1, Math.round(milliseconds / 1000)), result, reason }, say);
  if (failure !== undefined) throw checkFailure(failure, backup);
  if (command.json)
    output.log(JSON.stringify({ event: "checked", backup, at, seconds: Math.round(milliseconds / 1000) }));
  else
    output.log(`${backup} was restored, verified and removed again: recovery takes ${formatDuration(milliseconds)}.`);
  return 0;
}

/** Restores a backup and verifies the copy. */
async function restored({ stack, target, stop }: CheckRun, plan: RestorePlan, facts: ReleaseFacts, output: Output) {
  const copy = await target.carryOut(plan, output.log);
  const { status } = await verifyCopy({ stack, copy, facts, stop }, output);
  if (status !== 0)
    throw new CommandFailure(status, `The copy of ${plan.from} lacks what is told above.`, "the source is untouched.");
}

async function removeLeftover(target: RestoreTarget, say: (line: string) => void): Promise<void> {
  const left = (await target.list()).find(({ name }) => name === target.fixedName("check"));
  if (!left) return;
  say(`Removing ${left.name}, which an earlier check has left.`);
  await target.remove(left.name, true, say);
}

/** Removes the copy of this check. A failure is told, and not thrown: the next check removes what is left. */
async function removeAgain(
  target: RestoreTarget,
  { name, exists }: { name: string; exists: boolean },
  say: (line: string) => void,
): Promise<void> {
  try {
    if (exists || (await target.list()).some((copy) => copy.name === name)) await target.remove(name, true, say);
  } catch (error) {
    say(`The copy ${name} could not be removed (${(error as Error).message}). The next check removes it.`);
  }
}

function checkFailure(failure: unknown, backup: string): unknown {
  if (!(failure instanceof CommandFailure)) return failure;
  return new CommandFailure(
    failure.exit === 0 ? EXIT.failed : failure.exit,
    `The check of ${backup} failed: ${failure.message}`,
    failure.database,
    failure.next,
  );
}

function interrupted(): CommandFailure {
  return new CommandFailure(130, "Interrupted.", "the source is untouched; the copy is removed.");
}
