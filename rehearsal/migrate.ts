import { randomBytes } from "node:crypto";
import { type JobByHand, migratorProgram } from "../by-hand/job-by-hand";
import { eventOf } from "../by-hand/job-event";
import type { Kubectl } from "../by-hand/kubectl";
import { runJob } from "../by-hand/run-job";
import type { CommandStack } from "../by-hand/stack";
import { commandContainer } from "../components/command-container";
import { literal } from "../components/literal";
import { MIGRATOR } from "../components/migrator-job-manifest";
import type { Measurement } from "../report/measurement";
import { REPORT_LINE } from "../report/report-line";
import type { RestoredCopy, Say } from "../restore/target";
import { RehearsalFailed } from "./failure";
import { mergedMeasurement } from "./merged-measurement";
import { SUBJECT } from "./stack";

/** Where migrations are rehearsed. */
export interface MigrateArgs {
  readonly kubectl: Kubectl;
  /** The stack whose connection leads to the copy. */
  readonly stack: CommandStack;
  readonly copy: RestoredCopy;
  readonly stop: AbortSignal;
  readonly say: Say;
}

/** What the migrations did. */
export interface Migrated {
  /** The time of the Jobs' work. */
  readonly milliseconds: number;
  /** What was measured; undefined if the app's own command migrates. */
  readonly measurement: Measurement | undefined;
}

/** What one run of the migrator told. */
interface RunResult extends Migrated {
  /** Whether it left contract migrations for later. */
  readonly isHeld: boolean;
}

/**
 * Applies the migrations to the copy with the stack's own settings, and measures them. Contract migrations follow in a
 * run of their own, as a release applies them after its rollout.
 * @throws RehearsalFailed if a migration fails, or the verification has a finding
 */
export async function migrateCopy(args: MigrateArgs): Promise<Migrated> {
  const first = await runMigrator(args, ["--hold-contract"]);
  if (!first.isHeld) return first;
  args.say("The contract migrations, which a release applies after its rollout:");
  const second = await runMigrator(args, []);
  return {
    milliseconds: first.milliseconds + second.milliseconds,
    measurement: mergedMeasurement(first.measurement, second.measurement),
  };
}

async function runMigrator({ kubectl, stack, copy, stop, say }: MigrateArgs, more: string[]): Promise<RunResult> {
  const run = migratorRun(stack, copy, more);
  let measurement: Measurement | undefined;
  let failed: Readonly<Record<string, unknown>> | undefined;
  let isHeld = false;
  const log = (line: string) => {
    if (line.startsWith(REPORT_LINE)) return;
    const event = eventOf(line);
    if (event?.["event"] === "measured") measurement = measurementOf(event);
    else if (event?.["event"] === "failed") failed = event;
    else {
      isHeld ||= event?.["event"] === "contract.held";
      const text = typeof event?.["message"] === "string" ? event["message"] : line;
      // The report of the checks is for the page of a release.
      for (const each of text.startsWith("REPORT ") ? [] : text.split("\n")) say(`  ${each}`);
    }
  };
  say(`Job ${run.name}: ${run.verb} on ${copy.name}`);
  const began = Date.now();
  const status = await runJob(kubectl, run, stop, { log, say });
  const milliseconds = measurement?.milliseconds ?? Date.now() - began;
  if (status === 0) return { milliseconds, measurement, isHeld };
  const what = textOf(failed, "what") ?? `The migrator ended with ${status}.`;
  // A rehearsal never shows values, so nobody is told how.
  const detail = textOf(failed, "detail")?.replace(/\n?Values are not shown: .*/, "");
  throw new RehearsalFailed(what, detail);
}

function migratorRun(stack: CommandStack, { endpoint, database }: RestoredCopy, more: string[]): JobByHand {
  const { app, migrations } = stack.settings;
  const isCommand = migrations.runner === "command";
  return {
    ...{ stack, json: true, subject: SUBJECT, program: migratorProgram(stack), rerun: "the same command again" },
    name: `${app.name}-rehearsal-${randomBytes(3).toString("hex")}`,
    verb: isCommand ? "run" : "deploy",
    arguments: [
      ...(isCommand ? [] : ["--measure"]),
      ...more,
      // Whatever the Secret says, the migrator connects to the copy.
      ...["--server", `${endpoint.host}:${endpoint.port}`],
      ...(database === undefined ? [] : ["--database", literal(database)]),
    ],
    own: isCommand ? commandContainer(MIGRATOR, app.image, migrations, stack.settings.database) : undefined,
  };
}

function measurementOf({ event: _event, message: _message, ...fields }: Record<string, unknown>): Measurement {
  return fields as unknown as Measurement;
}

/** Returns a field of the migrator's event `failed`; its detail may have several lines. */
function textOf(event: Readonly<Record<string, unknown>> | undefined, field: string): string | undefined {
  const value = event?.[field];
  if (Array.isArray(value)) return value.join("\n");
  return typeof value === "string" ? value : undefined;
}
