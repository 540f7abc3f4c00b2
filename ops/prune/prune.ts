import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { Kubectl } from "../../by-hand/kubectl";
import { seeOtherJobs } from "../../by-hand/other-jobs";
import { releaseFacts } from "../../by-hand/release-facts";
import type { Output } from "../../by-hand/run-job";
import type { CommandStack } from "../../by-hand/stack";
import { counted } from "../../text/counted";
import { shellWord } from "../../text/shell-word";
import type { OpsCommand } from "../options";
import { PRUNERS } from "./kinds";
import { placeLines, placeObject } from "./print";
import type { PrunedPlace, PruneRun } from "./pruner";
import { pruneRehearsals } from "./rehearsals";

const NOTHING = "no backup was removed.";

/** What `prune` works with. */
export interface PruneArgs {
  readonly command: OpsCommand;
  readonly stack: CommandStack<"backup" | "rehearsal">;
  readonly kubectl: Kubectl;
  /** The beginning of the command that a message names. */
  readonly ops: string;
  readonly stop: AbortSignal;
}

/**
 * Removes the backups of a stack that are older than `backup.keep` says, by tags or manifest. None goes that a release
 * names, may still rely on, or makes just now; while a release runs, none goes at all. What rehearsals have left goes
 * too.
 * @returns the exit status
 * @throws CommandFailure if they can't be listed, or one could not be removed
 */
export async function prune({ command, stack, kubectl, ops, stop }: PruneArgs, output: Output): Promise<number> {
  const { given, json } = command;
  const { backup, app, rehearsal } = stack.settings;
  const pruner = PRUNERS[backup.mode];
  if (!pruner && rehearsal.mode === "none")
    throw new CommandFailure(
      EXIT.usage,
      `backup.mode of stack "${stack.name}" is "${backup.mode}", so there are no backups of it.`,
      NOTHING,
      "set backup.mode, if its releases should make backups",
    );
  const plan = given["plan"] === true;
  const outputs = typeof given["outputs"] === "string" ? given["outputs"] : undefined;
  const rerun = `${ops} prune --stack ${shellWord(stack.name)}`;
  const named = await namedBackups(stack.name, outputs, [given["except"] ?? []].flat().map(String), rerun);
  await seeOtherJobs(kubectl, { app: app.name, changes: !plan }, output.say);
  const retention = { keep: backup.keep, named, maxAgeMs: backup.maxAge.seconds * 1000, now: new Date() };
  const run: PruneRun = { ...{ stack, kubectl, retention, plan, rerun, stop }, say: output.say };
  const places = [...(pruner ? await pruner(run) : []), ...(stop.aborted ? [] : await pruneRehearsals(run))];
  tell(places, { run, json }, output);
  const failed = places.flatMap(({ notRemoved }) => notRemoved);
  if (failed.length > 0)
    throw new CommandFailure(
      EXIT.failed,
      `${counted(failed.length, "backup")} could not be removed: ${failed[0]!.reason}`,
      "untouched; these backups are there as before, and nothing else was removed than what is told above.",
      `give the rights that docs/backup.md lists, then: ${rerun}`,
    );
  return stop.aborted ? 130 : 0;
}

function tell(places: readonly PrunedPlace[], { run, json }: { run: PruneRun; json: boolean }, output: Output): void {
  const { stack, plan, retention } = run;
  if (json) {
    const event = plan ? "plan" : "pruned";
    output.log(JSON.stringify({ event, stack: stack.name, places: places.map(placeObject) }));
    return;
  }
  for (const place of places) for (const line of placeLines(place, plan)) output.log(line);
  if (retention.keep === undefined) output.log("backup.keep is not set, so every backup stays.");
  for (const warning of places.flatMap(({ warnings }) => warnings)) output.say(`Warning: ${warning}`);
}

/**
 * Returns the names of backups that must stay because the outputs of the stack or the command line name them.
 * @throws CommandFailure if the outputs can't be read, because then nobody knows what the live release relies on
 */
async function namedBackups(
  stack: string,
  file: string | undefined,
  except: readonly string[],
  rerun: string,
): Promise<Map<string, string>> {
  const { outputs, unknown, none } = await releaseFacts(process.cwd(), stack, file);
  if (!outputs && !none)
    throw new CommandFailure(
      EXIT.usage,
      `It is not known which backup the live release names: ${unknown}.`,
      NOTHING,
      `pulumi stack output --json --stack ${shellWord(stack)} > outputs.json && ${rerun} --outputs outputs.json`,
    );
  const ids = [outputs?.backup?.id, outputs?.backup?.copy?.id, outputs?.snapshot?.id];
  return new Map([
    ...except.map((id): [string, string] => [id, "--except names it"]),
    ...ids.flatMap((id): [string, string][] => (id === undefined ? [] : [[id, "the live release names it"]])),
  ]);
}
