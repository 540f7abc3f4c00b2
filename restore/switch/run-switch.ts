import { isDeepStrictEqual } from "node:util";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { Kubectl } from "../../by-hand/kubectl";
import { seeOtherJobs } from "../../by-hand/other-jobs";
import type { Output } from "../../by-hand/run-job";
import type { RestoreTarget } from "../target";
import { type Change, takenBack, valueAt, valueText } from "./changes";
import { planSwitch, type SwitchPlan, type SwitchRequest } from "./plan-switch";
import { planLines, switchedLines } from "./print-switch";
import type { SwitchRecord, SwitchRecords } from "./record";
import { makeSecrets, planSecrets } from "./secrets";
import { rawSettings, type SwitchStack, withSettings } from "./stack";
import { requireStackCommands, runStackCommand, type StackCommands } from "./stack-commands";
import { podsGone, remembered, resumeWriters, type SeenWriter, seeWriters, stopWriters, writersOf } from "./writers";
import { lookWritten, lossText, lostTables, type Written } from "./written";

/** What a switch, and the way back from it, work with. */
export interface SwitchRun {
  readonly stack: SwitchStack;
  /** The namespace of the settings in the stack's configuration. */
  readonly namespace: string;
  readonly kubectl: Kubectl;
  readonly records: SwitchRecords;
  readonly commands: StackCommands;
  /** Is aborted by Ctrl-C. */
  readonly stop: AbortSignal;
  /** The longest wait for the app's pods to end, in milliseconds. */
  readonly timeout: number;
  readonly plan: boolean;
  readonly json: boolean;
  readonly acceptLoss: boolean;
  /** Whether `up` runs elsewhere, so that the commands are only shown. */
  readonly noUp: boolean;
  /** The commands that messages name. */
  readonly typed: { readonly switch: string; readonly back: string };
  /** Reads the stack's files again. */
  reread(): SwitchStack;
}

/** What only the way to a copy needs. */
export interface SwitchToRun extends SwitchRun {
  readonly request: SwitchRequest;
  readonly target: RestoreTarget;
}

/** The state of the app, for messages. */
const UNMOVED = "nothing was moved; the app runs as before.";

/**
 * Moves the app to a copy of its database as one release. Every step can be repeated: after an interruption the same
 * command goes on by the record, and `switch-back` brings the app back from every state.
 * @returns the exit status
 * @throws CommandFailure that says in which state the app is, and the command that goes on
 */
export async function runSwitch(run: SwitchToRun, output: Output): Promise<number> {
  const { records, kubectl, stack, namespace, stop } = run;
  const say = run.json ? output.say : output.log;
  const found = await records.read();
  refuseOther(run, found);
  // An app that was moved before can be moved on, to a copy of the database that it uses now.
  const begun = found?.copy === run.request.copy ? found : undefined;
  const plan = begun ? await planAgain(run, begun) : await planSwitch(run, { ...output, say });
  const { record } = plan;
  const former = begun ? withSettings(stack, namespace, takenBack(record.changes)) : stack;
  const moved = withSettings(former, namespace, record.changes);
  const look = () => seeWriters(kubectl, writersOf(former.settings), moved.settings.database);
  const seen = await look();
  if (record.phase === "switched" && isMoved(seen)) return tellSwitched(run, record, output);
  const up = run.commands.up.shown;
  if (begun) say(`The switch to ${record.copy} has begun at ${record.began}, and goes on.`);
  for (const line of planLines(plan, { stack: stack.name, namespace, seen, up })) say(line);
  const written = async () => {
    const found = await lookWritten(
      kubectl,
      { stack: former, copy: undefined, base: record.written.source, stop },
      { ...output, say },
    );
    say(lossText(found));
    return found;
  };

  // The app on the source is looked at before it is stopped, so that a refusal costs no downtime.
  const first = isMoved(seen) ? undefined : await written();
  if (run.plan) return tellPlan(run, plan, first, output);
  if (first && lostTables(first).length > 0 && !run.acceptLoss) throw lossRefused(run, begun !== undefined);
  if (!run.noUp) await requireStackCommands(run.commands);
  if (first) await seeOtherJobs(kubectl, { app: stack.settings.app.name, changes: true }, say);
  if (!begun) await records.begin(record, found);
  const stopped = first ? await leaveSource(run, { plan, seen, written, look, before: found }, say) : record;
  if (run.noUp && !isMoved(seen)) return tellByHand(run, record, say);
  const next = `${run.typed.switch}; to bring the app back: ${run.typed.back}`;
  if (!run.noUp) await release(run, record.changes, say, next);
  await resumeWriters(kubectl, await look(), stopped.writers);
  await records.write({ ...stopped, phase: "switched" });
  return tellSwitched(run, record, output);
}

/** @returns the exit status */
function tellSwitched({ json, typed, commands }: SwitchRun, record: SwitchRecord, output: Output): number {
  const { copy, image, last } = record;
  const say = json ? output.say : output.log;
  for (const line of switchedLines(record, typed.back, commands.file)) say(line);
  if (json) output.log(JSON.stringify({ event: "switched", copy, image, last }));
  return 0;
}

/**
 * Makes the Secrets, stops what uses the source, and looks once more at what was written to it.
 * @throws CommandFailure if something was written after the first look. The app is then brought back.
 */
async function leaveSource(
  run: SwitchToRun,
  {
    plan,
    seen,
    written,
    look,
    before,
  }: {
    plan: SwitchPlan;
    seen: readonly SeenWriter[];
    written: () => Promise<Written>;
    look: () => Promise<SeenWriter[]>;
    /** The record of an earlier switch. */
    before: SwitchRecord | undefined;
  },
  say: (line: string) => void,
): Promise<SwitchRecord> {
  const { kubectl, records, request, stack } = run;
  await makeSecrets(kubectl, plan.secrets, { app: stack.settings.app.name, copy: request.copy, component: "switch" });
  const stopped = await stopAtSource(run, plan.record, seen, say);
  if (lostTables(await written()).length === 0 || run.acceptLoss) return stopped;
  await resumeWriters(kubectl, await look(), stopped.writers);
  await (before && before.copy !== plan.record.copy ? records.write(before) : records.end());
  throw lossRefused(run, false);
}

/** Whether every part of the app uses the copy. */
function isMoved(seen: readonly SeenWriter[]): boolean {
  return seen.length > 0 && seen.every(({ atCopy }) => atCopy);
}

/** @throws CommandFailure if another switch has begun, and has not ended */
function refuseOther({ request, typed }: SwitchToRun, begun: SwitchRecord | undefined): void {
  if (!begun) return;
  const state = `a switch to ${begun.copy} has begun.`;
  if (begun.phase === "going-back")
    throw new CommandFailure(EXIT.usage, `The way back from ${begun.copy} has begun.`, state, typed.back);
  if (begun.phase === "switching" && begun.copy !== request.copy)
    throw new CommandFailure(
      EXIT.usage,
      `A switch to ${begun.copy} has begun, and has not ended.`,
      state,
      `${typed.back}, then the same command again`,
    );
}

/** Returns the plan of a switch that has begun. */
async function planAgain({ kubectl, stack, namespace }: SwitchToRun, record: SwitchRecord): Promise<SwitchPlan> {
  const { database } = withSettings(stack, namespace, takenBack(record.changes)).settings;
  const secrets = (await planSecrets(kubectl, database, record.copy, record.move)).filter(
    ({ of }) => record.secrets[of],
  );
  return { record, secrets, imageWhy: "as planned", notes: [] };
}

/** Stops what of the app uses the source, after it is remembered what that was. */
async function stopAtSource(
  run: SwitchRun,
  record: SwitchRecord,
  seen: readonly SeenWriter[],
  say: (line: string) => void,
): Promise<SwitchRecord> {
  const { kubectl, records, stack, stop, timeout, typed } = run;
  const here = seen.filter(({ atCopy }) => !atCopy);
  const remember = { ...record, writers: remembered(here, record.writers) };
  await records.write(remember);
  await stopWriters(kubectl, here);
  say(`Stopped: ${here.map(({ kind, name }) => `${kind} ${name}`).join(", ")}; waiting for the pods to end.`);
  await podsGone(kubectl, stack.settings.app.name, here, { timeout, stop, back: typed.back });
  return remember;
}

/**
 * Changes the settings, and releases the app with them.
 * @param next what a message names as the next command
 */
export async function release(
  run: SwitchRun,
  changes: readonly Change[],
  say: (line: string) => void,
  next: string,
): Promise<void> {
  const { commands, stop, json } = run;
  const stopped = "what was stopped is scaled to 0 until a release brings it up.";
  for (const command of commands.config(changes)) {
    say(`$ ${command.shown}`);
    const status = await runStackCommand(command, stop, json);
    if (status !== 0)
      throw new CommandFailure(
        EXIT.failed,
        `It ended with status ${status}; the settings were not changed.`,
        stopped,
        next,
      );
  }
  const raw = rawSettings(run.reread(), run.namespace);
  const wrong = changes.filter(({ path, value }) => !isWritten(valueAt(raw, path), value));
  if (wrong.length > 0)
    throw new CommandFailure(
      EXIT.failed,
      `The settings are not as they should be: ${wrong.map(({ path }) => path.join(".")).join(", ")}.`,
      stopped,
      `see whether another file sets them, such as Pulumi.yaml; then ${next}`,
    );
  say(`$ ${commands.up.shown}`);
  const status = await runStackCommand(commands.up, stop, json);
  if (status !== 0)
    throw new CommandFailure(
      stop.aborted ? 130 : EXIT.failed,
      `The release ended with status ${status}; its own message is above.`,
      `the settings are changed; ${stopped}`,
      next,
    );
}

/** Whether a setting has the value: Pulumi writes a text that looks like a number as one. */
function isWritten(found: Change["value"], wanted: Change["value"]): boolean {
  if (found === undefined || wanted === undefined || found === null) return (found ?? undefined) === wanted;
  return isDeepStrictEqual(found, wanted) || valueText(found) === valueText(wanted);
}

function lossRefused({ typed }: SwitchRun, begun: boolean): CommandFailure {
  return new CommandFailure(
    EXIT.failed,
    "The rows above were written since the backup, and the copy doesn't have them.",
    begun ? "the switch has begun; what was stopped is scaled to 0." : UNMOVED,
    begun
      ? `${typed.switch} --accept-loss; to bring the app back: ${typed.back}`
      : `${typed.switch} --accept-loss; or restore a later moment (--to TIME)`,
  );
}

function tellPlan(
  { json, typed }: SwitchRun,
  { record }: SwitchPlan,
  written: Written | undefined,
  output: Output,
): number {
  if (json) {
    const { copy, image, last, changes } = record;
    output.log(JSON.stringify({ event: "plan", copy, image, last, changes, written: written ?? null }));
    return 0;
  }
  const lost = written && lostTables(written).length > 0;
  output.log(`Nothing was changed. To do it: ${typed.switch}${lost ? " --accept-loss" : ""}`);
  return 0;
}

/** Says what to run where `up` runs. The app stays stopped until then. */
function tellByHand({ commands, typed }: SwitchRun, { changes }: SwitchRecord, say: (line: string) => void): number {
  say("The app is stopped. Now change the settings and release it, where `up` runs:");
  for (const { shown } of [...commands.config(changes), commands.up]) say(`  ${shown}`);
  say(`Then the same command again, which ends the switch: ${typed.switch} --no-up`);
  say(`To bring the app back instead: ${typed.back}`);
  return 0;
}
