import { isDeepStrictEqual } from "node:util";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { seeOtherJobs } from "../../by-hand/other-jobs";
import type { Output } from "../../by-hand/run-job";
import { takenBack, valueAt } from "./changes";
import { backLines, sourceName } from "./print-switch";
import type { SwitchRecord } from "./record";
import { release, type SwitchRun } from "./run-switch";
import { rawSettings, withSettings } from "./stack";
import { requireStackCommands } from "./stack-commands";
import { podsGone, remembered, resumeWriters, seeWriters, stopWriters, writersOf } from "./writers";
import { lookWritten, lossText, lostTables } from "./written";

/**
 * Brings the app back to the database that it used before a switch, from every state that the switch may be in. The copy
 * and its Secret stay.
 * @param removal the command that removes the copy
 * @returns the exit status
 * @throws CommandFailure that says in which state the app is, and the command that goes on
 */
export async function runBack(run: SwitchRun, removal: (copy: string) => string, output: Output): Promise<number> {
  const { records, kubectl, stack, namespace, commands, stop, typed } = run;
  const say = run.json ? output.say : output.log;
  const record = await records.read();
  if (!record)
    throw new CommandFailure(
      EXIT.usage,
      `The app of stack ${stack.name} was not moved to a copy: there is no ConfigMap ${records.name}.`,
      "nothing was changed.",
      `see how it is: ${kubectl.typed(`get deployment ${stack.settings.app.name}`)}`,
    );
  const taken = takenBack(record.changes);
  const former = withSettings(stack, namespace, taken);
  const moved = withSettings(former, namespace, record.changes);
  const look = () => seeWriters(kubectl, writersOf(former.settings), moved.settings.database);
  const seen = await look();
  const atCopy = seen.filter((each) => each.atCopy);
  const raw = rawSettings(stack, namespace);
  const isChanged = record.changes.some(({ path, former: was }) => !isDeepStrictEqual(valueAt(raw, path), was));
  for (const line of backLines(record, { stack: stack.name, namespace, taken, up: commands.up.shown })) say(line);
  const written = async () => {
    const { copy } = record.move;
    const found = await lookWritten(
      kubectl,
      { stack: former, copy, base: record.written.copy, stop },
      { ...output, say },
    );
    say(lossText(found));
    return lostTables(found).length > 0;
  };

  const lost = atCopy.length > 0 && (await written());
  if (run.plan) {
    if (run.json) output.log(JSON.stringify({ event: "plan", copy: record.copy, changes: taken, lost }));
    else output.log(`Nothing was changed. To do it: ${typed.back}${lost ? " --accept-loss" : ""}`);
    return 0;
  }
  if (lost && !run.acceptLoss)
    throw new CommandFailure(
      EXIT.failed,
      `The rows above were written to ${record.copy}, and the database before doesn't have them.`,
      `nothing was changed; the app uses ${record.copy}.`,
      `${typed.back} --accept-loss`,
    );
  if (isChanged || atCopy.length > 0) {
    await leaveCopy(run, record, say, written);
    if (run.noUp) return tellByHand(run, taken, say);
    await release(run, taken, say, typed.back);
  }
  await resumeWriters(kubectl, await look(), record.writers);
  await records.end();
  say(`The app uses ${sourceName(record.move)} again.`);
  if (commands.file !== undefined) say(`  Commit ${commands.file}.`);
  say(`  ${record.copy} stays, with its Secret. To remove both: ${removal(record.copy)}`);
  if (run.json) output.log(JSON.stringify({ event: "switched-back", copy: record.copy }));
  return 0;
}

/** Tells what a person does where `up` runs. @returns the exit status */
function tellByHand(
  { commands, typed }: SwitchRun,
  taken: ReturnType<typeof takenBack>,
  say: (line: string) => void,
): number {
  say("The app is stopped. Now set the settings back and release it, where `up` runs:");
  for (const { shown } of [...commands.config(taken), commands.up]) say(`  ${shown}`);
  say(`Then the same command again, which ends the way back: ${typed.back} --no-up`);
  return 0;
}

/** Stops what uses the copy. */
async function leaveCopy(
  run: SwitchRun,
  record: SwitchRecord,
  say: (line: string) => void,
  written: () => Promise<boolean>,
): Promise<void> {
  const { records, kubectl, stack, namespace, commands, stop, timeout, typed, noUp } = run;
  const former = withSettings(stack, namespace, takenBack(record.changes));
  const moved = withSettings(former, namespace, record.changes);
  if (!noUp) await requireStackCommands(commands);
  await seeOtherJobs(kubectl, { app: stack.settings.app.name, changes: true }, say);
  const seen = await seeWriters(kubectl, writersOf(former.settings), moved.settings.database);
  const atCopy = seen.filter((each) => each.atCopy);
  await records.write({ ...record, phase: "going-back", writers: remembered(atCopy, record.writers) });
  if (atCopy.length > 0) {
    await stopWriters(kubectl, atCopy);
    say(`Stopped: ${atCopy.map(({ kind, name }) => `${kind} ${name}`).join(", ")}; waiting for the pods to end.`);
    await podsGone(kubectl, stack.settings.app.name, atCopy, { timeout, stop, back: typed.back });
    await written();
  }
}
