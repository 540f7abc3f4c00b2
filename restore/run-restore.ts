import { CommandFailure } from "../by-hand/failure";
import { type ReleaseFacts, releaseFacts } from "../by-hand/release-facts";
import type { Output } from "../by-hand/run-job";
import type { CommandStack } from "../by-hand/stack";
import { shellWord } from "../text/shell-word";
import { formatDuration } from "../text/short-duration";
import type { RestoreCommand } from "./options";
import { announcement, differenceLines, planLines } from "./print";
import type { Difference, RestoredCopy, RestorePlan, RestoreTarget } from "./target";
import { type Verified, verifyCopy } from "./verification";

/** What a restore works with. */
export interface RestoreRun {
  readonly command: Extract<RestoreCommand, { verb: "restore" }>;
  readonly stack: CommandStack;
  readonly target: RestoreTarget;
  /** Is aborted by Ctrl-C. */
  readonly stop: AbortSignal;
  /** Returns the command that begins with these words, for messages. */
  typed(...words: string[]): string;
  /** What is done with the copy when nothing is missing in it; undefined: nothing. It returns the exit status. */
  readonly then?: ((copy: string) => Promise<number>) | undefined;
}

/** What a restore has made, and how it differs from its source. */
interface Result {
  readonly plan: RestorePlan;
  readonly restored: RestoredCopy;
  readonly differences: readonly Difference[];
  /** What was found over SQL; undefined: nobody looked. */
  readonly verified: Verified | undefined;
  readonly elapsed: number;
}

/**
 * Plans a restore and, unless only its plan is wanted, carries it out and verifies the copy.
 * @returns the exit status
 * @throws CommandFailure if the copy can't be made, was not looked at, or lacks something
 */
export async function runRestore(run: RestoreRun, output: Output): Promise<number> {
  const { command, stack, target } = run;
  const began = Date.now();
  const facts = await releaseFacts(process.cwd(), stack.name, command.outputs);
  const plan = await target.plan({ to: command.to, name: command.name, facts, now: new Date() });
  const say = command.json ? output.say : output.log;
  for (const line of announcement(plan, stack.name)) say(line);
  if (command.plan) return tellPlan(plan, run, output);
  const restored = await target.carryOut(plan, say);
  const differences = await target.differences(plan);
  if (!command.json) for (const line of differenceLines(differences)) output.log(line);
  const looked = command.verify ? await look(run, { restored, facts }, { ...output, say }) : undefined;
  const verified = looked instanceof CommandFailure ? undefined : looked;
  tellResult(run, { plan, restored, differences, verified, elapsed: Date.now() - began }, output);
  if (looked instanceof CommandFailure)
    throw new CommandFailure(
      looked.exit,
      looked.message,
      `the source is untouched; ${plan.copy} is there, and was not looked at.`,
      `${looked.next}; or with --no-verify`,
    );
  if (!verified || verified.status === 0) return run.then ? run.then(plan.copy) : 0;
  throw new CommandFailure(
    verified.status,
    run.stop.aborted ? "Interrupted." : `${plan.copy} is there, and verification found what is told above.`,
    "the source is untouched; the copy stays as it is.",
    `the same command again looks once more; to remove the copy: ${run.typed("remove", plan.copy)}`,
  );
}

/** @returns the exit status */
function tellPlan(plan: RestorePlan, { command, typed }: RestoreRun, output: Output): number {
  if (command.json) {
    const { source, copy, from, exists, notes } = plan;
    const calls = plan.calls.map(({ what, operation, parameters, typed }) => ({ what, operation, parameters, typed }));
    output.log(JSON.stringify({ event: "plan", source, copy, from, exists, calls, notes }));
  } else {
    for (const line of planLines(plan)) output.log(line);
    const { to, name, identity, outputs, into: secret } = command;
    const into = secret && `${secret.secret}/${secret.key}`;
    const options = Object.entries({ to, name, identity, into, outputs }).flatMap(([option, value]) =>
      value === undefined ? [] : [`--${option}`, shellWord(value)],
    );
    output.log("");
    output.log(`Nothing was changed. To do it: ${typed(...options)}`);
  }
  return 0;
}

/** Looks at the copy. A failure to look is returned, so that the copy itself is told first. */
async function look(
  { stack, stop }: RestoreRun,
  { restored, facts }: { restored: RestoredCopy; facts: ReleaseFacts },
  output: Output,
): Promise<Verified | CommandFailure> {
  try {
    return await verifyCopy({ stack, copy: restored, facts, stop }, output);
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
}

function tellResult({ command, stack, typed }: RestoreRun, result: Result, output: Output): void {
  const { plan, restored, differences, verified, elapsed } = result;
  const { source, copy, from, notes } = plan;
  const { endpoint, readerEndpoint, database, into } = restored;
  if (command.json) {
    const made = { stack: stack.name, source, from, copy, endpoint, readerEndpoint, database };
    const seconds = Math.round(elapsed / 1000);
    output.log(JSON.stringify({ event: "restored", ...made, seconds, verified: verified ?? null, differences, notes }));
    return;
  }
  output.log(`${copy} is restored to ${from} (${formatDuration(elapsed)}).`);
  const address = `${endpoint.host}:${endpoint.port}`;
  output.log(
    database === undefined
      ? `  It answers at ${address}, with the roles and passwords of the backup.`
      : `  It is database ${database} at ${address}, with the roles and passwords of that server.`,
  );
  output.log(`  ${source} and the app are untouched.`);
  if (into) return;
  output.log(`  To move the app to it: ${typed("switch", copy, "--plan")}`);
  output.log(`  To remove the copy: ${typed("remove", copy)}`);
}
