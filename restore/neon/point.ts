import type { NeonBranch } from "../../backup/neon/answers";
import type { NeonApi } from "../../backup/neon/api";
import { backupBranches, branchNamed, isBackupOf } from "../../backup/neon/branches";
import { isComplete } from "../../backup/neon/operations";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { ReleaseFacts } from "../../by-hand/release-facts";
import type { CommandStack } from "../../by-hand/stack";
import { time } from "../rds/command-line";
import { BEFORE_MIGRATION, beganAt, LATEST, readTime } from "../rds/moment";

/** What a database is restored to: a branch that a release made, or a moment or the present of the database's own branch. */
export type NeonPoint =
  | { readonly kind: "branch"; readonly branch: NeonBranch }
  | { readonly kind: "present"; readonly at: Date }
  | { readonly kind: "time"; readonly at: Date };

/** A restore point, the branch of the database itself, and what a person should know about how they were chosen. */
export interface ChosenPoint {
  readonly point: NeonPoint;
  readonly source: NeonBranch;
  readonly notes: readonly string[];
}

/**
 * Finds out what `--to` names.
 * @throws CommandFailure if it is nothing that can be restored
 */
export async function chooseNeonPoint(
  api: NeonApi,
  stack: CommandStack<"backup">,
  to: string | undefined,
  facts: ReleaseFacts,
): Promise<ChosenPoint> {
  if (to === LATEST) {
    const { source, notes } = await ownBranch(api, stack);
    return { point: { kind: "present", at: new Date() }, source, notes };
  }
  const at = momentOf(to, facts);
  if (at) {
    const { source, notes } = await ownBranch(api, stack);
    return { point: { kind: "time", at: await reachable(api, source, at) }, source, notes };
  }
  const { branch, notes } = to === undefined ? await liveBranch(api, stack, facts) : await namedBranch(api, to);
  if (!isComplete(branch))
    throw new CommandFailure(
      EXIT.usage,
      `Branch ${branch.name} is "${branch.current_state}", so it can't be restored.`,
      undefined,
      "the same command with another --to",
    );
  const source = branch.parent_id === undefined ? branch : await api.branch(branch.parent_id);
  return { point: { kind: "branch", branch }, source, notes };
}

/** Returns the moment that `--to` means; undefined if it means a branch. */
function momentOf(to: string | undefined, facts: ReleaseFacts): Date | undefined {
  if (to === BEFORE_MIGRATION) return beganAt(facts);
  return to === undefined ? undefined : readTime(to);
}

async function namedBranch(api: NeonApi, to: string): Promise<{ branch: NeonBranch; notes: string[] }> {
  const found = (await api.branches(to)).find((each) => each.name === to || each.id === to);
  if (found) return { branch: found, notes: [] };
  throw new CommandFailure(
    EXIT.usage,
    `Neon's project ${api.access.project} has no branch ${to}, and it is no time either.`,
    undefined,
    "the same command with the name of a branch, a time such as 2026-11-21T15:04:05Z, or without --to",
  );
}

async function liveBranch(
  api: NeonApi,
  stack: CommandStack<"backup">,
  { outputs, unknown }: ReleaseFacts,
): Promise<{ branch: NeonBranch; notes: string[] }> {
  const live = outputs?.backup;
  if (live?.kind === "branch") {
    const branch = await branchNamed(api, live.id);
    if (branch && isBackupOf(branch, stackOf(stack))) return { branch, notes: [] };
    throw new CommandFailure(
      EXIT.usage,
      `The branch of the live release, ${live.id}, is not there any more.`,
      undefined,
      `the same command with --to BRANCH, --to TIME or --to ${BEFORE_MIGRATION}`,
    );
  }
  if (outputs)
    throw new CommandFailure(
      EXIT.usage,
      "The live release made no branch.",
      undefined,
      `the same command with --to BRANCH, --to TIME or --to ${BEFORE_MIGRATION}`,
    );
  const newest = (await backupBranches(api, stackOf(stack))).at(-1);
  const why = `Which branch the live release made is not known (${unknown}`;
  if (newest)
    return {
      branch: newest,
      notes: [`${why}). This is the newest one of stack ${stack.name}; a release that failed may have made it.`],
    };
  throw new CommandFailure(
    EXIT.usage,
    `${why}), and Neon has none of stack ${stack.name}.`,
    undefined,
    "the same command with --to BRANCH or --to TIME",
  );
}

/** Finds the branch of the database itself: the one that the settings name, or that its backups were made of. */
async function ownBranch(
  api: NeonApi,
  stack: CommandStack<"backup">,
): Promise<{ source: NeonBranch; notes: string[] }> {
  const wanted = stack.settings.backup.branch?.parent;
  if (wanted !== undefined) return { source: (await namedBranch(api, wanted)).branch, notes: [] };
  const parent = (await backupBranches(api, stackOf(stack))).at(-1)?.parent_id;
  if (parent !== undefined) return { source: await api.branch(parent), notes: [] };
  const source = (await api.branches()).find((each) => each.default);
  if (!source) throw new CommandFailure(EXIT.usage, `Neon's project ${api.access.project} has no default branch.`);
  const note = `Which branch the database is on is not known, because it has no backups. ${source.name} is the default one.`;
  return { source, notes: [note] };
}

/** Returns the moment if Neon keeps the history up to it. */
async function reachable(api: NeonApi, source: NeonBranch, at: Date): Promise<Date> {
  const kept = (await api.project()).history_retention_seconds * 1000;
  const earliest = new Date(Math.max(Date.now() - kept, Date.parse(source.created_at)));
  const later = "the same command with";
  if (at > new Date())
    throw new CommandFailure(EXIT.usage, `${time(at)} is in the future.`, undefined, `${later} a time that is past`);
  if (at < earliest)
    throw new CommandFailure(
      EXIT.usage,
      `Neon keeps the history of ${source.name} since ${time(new Date(Math.ceil(earliest.getTime() / 1000) * 1000))}, and ${time(at)} is earlier.`,
      undefined,
      `${later} a later time, or with --to BRANCH`,
    );
  return at;
}

/** Returns how the branches of a stack are noted. */
export function stackOf({ project, name }: Pick<CommandStack, "project" | "name">) {
  return { project, stack: name };
}

/** Returns how messages name a restore point. */
export function describedPoint(point: NeonPoint): string {
  if (point.kind === "branch") return `branch ${point.branch.name} of ${time(new Date(point.branch.created_at))}`;
  return point.kind === "time" ? `the moment ${time(point.at)}` : `the present, ${time(point.at)}`;
}
