import { CommandFailure, EXIT } from "../by-hand/failure";
import type { Kubectl } from "../by-hand/kubectl";
import { type ReleaseFacts, releaseFacts } from "../by-hand/release-facts";
import type { Output } from "../by-hand/run-job";
import { fingerprint as fingerprintOfMigrations, HistoryError, readHistorySync } from "../migrations/history/history";
import { releasedUntil } from "../migrations/history/until";
import { exceededLimits } from "../report/rehearsal-limits";
import type { RehearsalProof } from "../report/rehearsal-proof";
import { announcement } from "../restore/print";
import { LATEST } from "../restore/rds/moment";
import { namespaceOf } from "../restore/switch/stack";
import type { RestorePlan, RestoreTarget } from "../restore/target";
import { formatDuration } from "../text/short-duration";
import { checkByApp } from "./app-check";
import { copyStack } from "./copy-stack";
import { RehearsalFailed } from "./failure";
import { removeLeftovers } from "./leftovers";
import { type Migrated, migrateCopy } from "./migrate";
import { measurementLines } from "./print";
import { recordProof } from "./proof";
import { RehearsalRecords } from "./record";
import { copyName, type RehearsalSource, type RehearsalStack, rehearsalSecretName, sourceOf } from "./stack";
import { rehearsalTarget } from "./target";

/** What a rehearsal works with. */
export interface RehearsalArgs {
  readonly stack: RehearsalStack;
  /** `--namespace`: the namespace of the stack's settings in its configuration. */
  readonly namespace: string | undefined;
  readonly kubectl: Kubectl;
  /** `--to`: the backup that is restored; undefined: the newest there is. */
  readonly to: string | undefined;
  readonly outputs: string | undefined;
  readonly identity: string | undefined;
  /** The longest time of everything but the removal, in milliseconds; undefined: `rehearsal.timeout`. */
  readonly timeout: number | undefined;
  readonly json: boolean;
  /** Is aborted by Ctrl-C. */
  readonly stop: AbortSignal;
}

/** A rehearsal at work. */
interface Rehearsal extends RehearsalArgs {
  readonly from: RehearsalSource;
  readonly fingerprint: string;
  readonly facts: ReleaseFacts;
  readonly records: RehearsalRecords;
  /** Makes the copy. Ctrl-C and the time limit end it. */
  readonly target: RestoreTarget;
  /** Removes the copy. Neither ends it. */
  readonly remover: RestoreTarget;
  readonly began: Date;
  /** Is aborted by Ctrl-C, or when the time is over. */
  readonly signal: AbortSignal;
  readonly milliseconds: number;
  readonly say: (line: string) => void;
}

/** How far a rehearsal got. */
interface Outcome {
  /** What was to be restored, and to what copy; undefined: it did not get that far. */
  plan?: RestorePlan;
  /** What the migrations did; undefined: they did not run to their end. */
  migrated?: Migrated;
  failure?: unknown;
}

/** The longest wait for the removal of a copy, in milliseconds. */
const REMOVAL_MS = 1_800_000;

const UNTOUCHED = "production is untouched; the copy is removed.";

/**
 * Applies the migrations to a copy of the database, measures them, and removes the copy, whatever happens. The result is
 * kept in the cluster as a proof for the releases that have the same migrations.
 * @returns the exit status: 0 passed, 1 failed
 * @throws CommandFailure if the rehearsal can't be made, or has failed
 */
export async function rehearse(args: RehearsalArgs, output: Output): Promise<number> {
  const { stack, kubectl, stop, identity } = args;
  const from = sourceOf(stack);
  const fingerprint = fingerprintOf(stack);
  const say = args.json ? output.say : output.log;
  const facts = await releaseFacts(process.cwd(), stack.name, args.outputs);
  const { app, rehearsal } = stack.settings;
  const milliseconds = args.timeout ?? rehearsal.timeout.seconds * 1000;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(milliseconds)]);
  const records = new RehearsalRecords(kubectl, app.name);
  const run: Rehearsal = {
    ...{ ...args, from, fingerprint, facts, records, signal, milliseconds, say, began: new Date() },
    target: rehearsalTarget(from, { stack, identity, timeout: milliseconds, stop: signal, say }),
    remover: rehearsalTarget(from, { stack, timeout: REMOVAL_MS, stop: new AbortController().signal, say }),
  };
  await records.begin(say);
  const outcome = await attempt(run);
  await clear(run, outcome);
  return conclude(run, outcome, output);
}

async function attempt(run: Rehearsal): Promise<Outcome> {
  const { stack, stop, signal, milliseconds } = run;
  const outcome: Outcome = {};
  try {
    await removeAll(run);
    outcome.plan = await planned(run);
    outcome.migrated = await rehearsed(run, outcome.plan);
    const exceeded = exceededLimits(stack.settings.rehearsal.limits, outcome.migrated);
    if (exceeded.length > 0) throw new RehearsalFailed(exceeded.join("\n"));
  } catch (error) {
    outcome.failure = signal.aborted && !stop.aborted ? tookTooLong(milliseconds) : error;
  }
  return outcome;
}

/** Removes what the rehearsal has made, unless its copy stays for people to look at. */
async function clear(run: Rehearsal, { plan, failure }: Outcome): Promise<void> {
  const { stack, stop, records, say } = run;
  const { keep } = stack.settings.rehearsal;
  const isUsable = failure === undefined || failure instanceof RehearsalFailed;
  if (keep && isUsable && !stop.aborted && plan) {
    const until = new Date(Date.now() + keep.seconds * 1000);
    await records.keep(until);
    const secret = rehearsalSecretName(stack.settings.app.name);
    say(`The copy ${plan.copy} and Secret ${secret} stay until ${until.toISOString()} (rehearsal.keep).`);
    return;
  }
  // A failure of the removal would hide it.
  if (failure instanceof Error) say(`The rehearsal ends: ${failure.message.split("\n")[0]}`);
  await removeAll(run);
  await records.end();
  if (plan) say(`The copy ${plan.copy} is gone.`);
}

function removeAll({ kubectl, stack, remover, say }: Rehearsal): Promise<void> {
  return removeLeftovers({ kubectl, app: stack.settings.app.name, target: remover }, say);
}

/** Keeps the result, and tells it. What only kept the rehearsal from being made is no result. */
async function conclude(run: Rehearsal, outcome: Outcome, output: Output): Promise<number> {
  const { stack, kubectl, stop, began, fingerprint } = run;
  const { plan, migrated, failure } = outcome;
  if (stop.aborted) throw interrupted(stop);
  if (failure !== undefined && !(failure instanceof RehearsalFailed)) throw failure;
  const proof: RehearsalProof = {
    ...{ fingerprint, at: began.toISOString(), of: plan?.from ?? "nothing" },
    ...(failure ? { result: "failed", reason: failure.reason } : { result: "passed" }),
    ...(migrated?.measurement ? { measurement: migrated.measurement } : {}),
  };
  await recordProof(kubectl, stack.settings.app.name, proof);
  tell(run, { proof, copy: plan?.copy ?? "", migrated }, output);
  if (failure) throw failed(failure, plan !== undefined && stack.settings.rehearsal.keep !== undefined);
  return 0;
}

/** Plans the restore by reading alone. */
async function planned(run: Rehearsal): Promise<RestorePlan> {
  const { stack, from, to, facts, target, milliseconds, say, began } = run;
  const { keep, class: instanceClass } = stack.settings.rehearsal;
  const expires = new Date(began.getTime() + milliseconds + (keep?.seconds ?? 0) * 1000);
  const newest = from === "pitr" || from === "branch" ? LATEST : undefined;
  const plan = await target.plan({
    ...{ to: to ?? newest, name: copyName(target), facts, now: began },
    rehearsal: { class: instanceClass, expires },
  });
  for (const line of announcement(plan, stack.name)) say(line);
  return plan;
}

/** Restores the backup, applies the migrations to the copy, and runs the app's own check. */
async function rehearsed(run: Rehearsal, plan: RestorePlan): Promise<Migrated> {
  const { stack, namespace, kubectl, target, signal, say, from, milliseconds } = run;
  const { rehearsal } = stack.settings;
  const copy = await target.carryOut(plan, say);
  const isElsewhere = from === "dump";
  const move = isElsewhere ? undefined : await target.move?.(plan.copy);
  const moved = await copyStack({
    kubectl,
    stack,
    namespace: namespaceOf(stack, namespace),
    copy,
    move,
    into: rehearsal.into,
  });
  const args = { kubectl, stack: moved, copy, stop: signal, say };
  const migrated = await migrateCopy(args);
  if (rehearsal.command) await checkByApp(args, rehearsal.command, Math.ceil(milliseconds / 1000));
  return migrated;
}

function tell(
  { json, stack, began }: Rehearsal,
  result: { proof: RehearsalProof; copy: string; migrated: Migrated | undefined },
  output: Output,
): void {
  const { proof, copy, migrated } = result;
  const milliseconds = Date.now() - began.getTime();
  if (json) {
    output.log(JSON.stringify({ event: "rehearsed", ...proof, copy, seconds: Math.round(milliseconds / 1000) }));
    return;
  }
  if (migrated?.measurement) for (const line of measurementLines(migrated.measurement)) output.log(line);
  else if (migrated)
    output.log(`The migrations take ${formatDuration(migrated.milliseconds)}; nothing else was measured.`);
  if (proof.result === "failed") return;
  output.log(`PASSED in ${formatDuration(milliseconds)}: the migrations work on ${proof.of} of stack ${stack.name}.`);
  output.log(`Until ${until(stack, proof.at)} UTC this is the proof that \`up\` finds for these migrations.`);
}

function until({ settings: { rehearsal } }: RehearsalStack, at: string): string {
  return new Date(Date.parse(at) + rehearsal.maxAge.seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** @throws CommandFailure if the migrations can't be read */
function fingerprintOf({ directory, settings }: RehearsalStack): string {
  try {
    const { migrations } = releasedUntil(directory, readHistorySync(directory), settings.migrations.until);
    return fingerprintOfMigrations(migrations);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new CommandFailure(EXIT.usage, error.message, undefined, "correct it, then the same command again");
  }
}

function tookTooLong(milliseconds: number): RehearsalFailed {
  return new RehearsalFailed(`The rehearsal took longer than ${formatDuration(milliseconds)} (rehearsal.timeout).`);
}

function failed({ message, detail }: RehearsalFailed, isKept: boolean): CommandFailure {
  const lines = detail === undefined ? "" : `\n  ${detail.replaceAll("\n", "\n  ")}`;
  return new CommandFailure(
    EXIT.failed,
    `Production is untouched. On the copy: ${message}${lines}`,
    isKept ? "production is untouched; the copy stays for a while (rehearsal.keep)." : UNTOUCHED,
    "correct the migrations or the limits, then the same command again",
  );
}

function interrupted(stop: AbortSignal): CommandFailure {
  return new CommandFailure(stop.reason === "SIGTERM" ? 143 : 130, "Interrupted.", UNTOUCHED);
}
