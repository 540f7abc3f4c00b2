import type * as pulumi from "@pulumi/pulumi";
import { MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import { parseMemory } from "../settings/units";
import type { BackupStep } from "./backup-step";
import type { MigratorStep } from "./job-step";
import { literal } from "./literal";

/** What decides the arguments of the migrator in one of a release's Jobs. */
export interface StepArgs {
  step: MigratorStep;
  /** The name of the Pulumi stack, for the commands in messages. */
  stack: string;
  settings: Settings["migrations"];
  /** The review's settings. The preflight Job reviews again, by the migrations that the database really has. */
  review: Settings["review"];
  /** The settings of drift. Preflight ignores the same objects. */
  drift: Settings["drift"];
  /** The entries of the Job's checklist that only people can supply. */
  notes: Omit<Settings["report"], "directory">;
  /**
   * The backup that the migration relies on. Default: none, in an environment that allows releases without a backup.
   */
  backup?: Omit<BackupStep, "resources"> | undefined;
  /** Whether the connection must lead to the database that the snapshot is taken of. */
  endpointCheck: Settings["database"]["endpointCheck"];
  /**
   * The endpoints of that database, HOST:PORT with commas between them. Default: none, because no snapshot is taken or
   * `endpointCheck` is off.
   */
  endpoints?: pulumi.Output<string> | undefined;
  /** The greatest age of the backup with which pending migrations are applied. */
  snapshotMaxAge: Settings["backup"]["maxAge"];
}

/** The migrator's verb and its options for each step. */
const VERBS: Record<MigratorStep, (args: StepArgs) => string[]> = {
  preflight: ({ settings: { runner }, review, drift }) => [
    ...["preflight", "--runner", runner],
    ...reviewArguments(review),
    ...ignoreArguments(drift),
  ],
  migrate: ({ settings: { runner } }) => [runner === "command" ? "run" : "deploy", "--hold-contract"],
  contract: ({ settings: { soak } }) => ["deploy", "--after-rollout", "--soak", soak.text],
};

/** Returns the arguments of the migrator for one step: its verb, then the verb's options. */
export function stepArguments(args: StepArgs): pulumi.Input<string>[] {
  const { step, stack, settings, notes, backup, snapshotMaxAge, endpoints } = args;
  const options: [flag: string, value: pulumi.Input<string> | undefined][] = [
    ["--snapshot", backup?.id],
    ["--backup-kind", backup && backup.kind !== "snapshot" ? backup.kind : undefined],
    ["--check", args.endpointCheck === "off" ? "same-database=off" : undefined],
    ["--snapshot-created-at", backup?.createdAt.apply((time) => time ?? "gone")],
    ["--snapshot-completed-at", backup?.completedAt.apply((time) => time ?? "gone")],
    ["--snapshot-max-age", backup && snapshotMaxAge.text],
    ["--database-endpoint", endpoints],
  ];
  return [
    ...VERBS[step](args),
    ...commonArguments(stack, settings),
    ...options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value])),
    ...Object.entries(notes).flatMap(([key, text]) => ["--note", literal(`${key}=${text}`)]),
  ];
}

/** Returns the options that every verb of the migrator gets. They come from the stack alone. */
export function commonArguments(stack: string, settings: Settings["migrations"]): string[] {
  const options: [flag: string, value: string | number | undefined][] = [
    ["--payload", MIGRATOR_FOLDER],
    ["--connect-wait", settings.connectWait.text],
    ["--stack", stack],
    ["--lock-timeout", settings.lockTimeout.text],
    ["--lock-retry-timeout", settings.lockRetryTimeout.text],
    ["--statement-timeout", settings.statementTimeout.text],
    ["--max-transaction-age", settings.maxTransactionAge.text],
    ["--max-connections-percent", settings.maxConnectionsPercent],
    ["--max-sequence-percent", settings.maxSequencePercent],
    ["--max-row-loss-percent", settings.maxRowLossPercent],
    ["--disk-free", settings.diskFree && `${parseMemory(settings.diskFree)}B`],
    ...Object.entries(settings.checks).map(([check, level]) => ["--check", `${check}=${level}`] as [string, string]),
  ];
  return [
    ...options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
    ...(settings.allowDatabaseAhead ? ["--allow-database-ahead"] : []),
    ...(settings.showValues ? ["--show-values"] : []),
  ];
}

/** Returns the options with which the migrator ignores the drift of some objects. */
export function ignoreArguments({ ignore }: Pick<Settings["drift"], "ignore">): string[] {
  return ignore.flatMap(({ object, reason }) => ["--ignore", literal(`${object}=${reason}`)]);
}

/** Returns the options with which the migrator applies the review's gate. */
export function reviewArguments({ refuse, acknowledgements }: Settings["review"]): string[] {
  return [
    ...refuse.flatMap((each) => ["--refuse", each]),
    ...acknowledgements.flatMap((each) => ["--acknowledge", literal(JSON.stringify(each))]),
  ];
}
