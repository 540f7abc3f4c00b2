import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { parseMemory } from "../settings/units";
import { childOf } from "./child";
import { commandContainer } from "./command-runner";
import type { MigrationFiles } from "./migration-files";
import { warnWhenOverdue } from "./overdue";
import {
  CONTAINER_SECURITY,
  type DatabaseAccess,
  labels,
  podIdentity,
  RELEASE_ANNOTATION,
  secretVariable,
} from "./pods";
import type { DatabaseSnapshot } from "./snapshot";

/** The arguments of one of a release's Jobs. */
export interface MigratorJobArgs {
  /**
   * The step that the Job runs. `preflight` only reads; `migrate` applies the pending migrations and verifies them;
   * `contract` runs after the rollout and after `settings.soak`, and applies the migrations that remove what only the
   * old version needed.
   */
  step: "preflight" | "migrate" | "contract";
  app: string;
  namespace: pulumi.Input<string>;
  releaseId: string;
  database: DatabaseAccess;
  settings: Settings["migrations"];
  /** The review's settings. The preflight Job reviews again, by the migrations that the database really has. */
  review: Settings["review"];
  /** The app's image. It runs the migration if `migrations.runner` is "command". */
  appImage: string;
  /** The entries of the Job's checklist that only people can supply. */
  notes: Omit<Settings["report"], "directory">;
  /** The ConfigMaps with the migrator and the SQL. */
  files: MigrationFiles;
  /**
   * The snapshot that the migration relies on. Default: none, in an environment that allows releases without a backup.
   */
  snapshot?: DatabaseSnapshot | undefined;
  /** An output that is known when everything that the Job depends on is done. Default: it is known at once. */
  begins?: pulumi.Output<unknown> | undefined;
  /** The greatest age of the snapshot with which pending migrations are applied. */
  snapshotMaxAge: Settings["backup"]["maxAge"];
}

const FOLDER = "/release";

/** The seconds that Pulumi waits beyond the Job's own deadline, so that the pod's last messages still arrive. */
const AWAIT_MARGIN_SECONDS = 120;

/** The time that the migrator gets to cancel its statement, roll back and report that, in seconds. */
const TERMINATION_GRACE_SECONDS = 30;

/**
 * One run of the migrator, as a Kubernetes Job. Its name contains the release id, so that every release has its own
 * Jobs. The next plain `up` replaces a failed Job and thereby runs it again.
 */
export class MigratorJob extends pulumi.ComponentResource {
  readonly job: Job;
  /** The Job's name in its namespace. */
  readonly name: string;

  constructor(name: string, args: MigratorJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:MigratorJob", name, {}, opts);
    const { step, app, namespace, releaseId, database, settings, snapshot, files } = args;

    const jobName = `${app}-${step}-${releaseId}`;
    this.name = jobName;
    const migrator = `${FOLDER}/migrator.cjs`;
    // Only the migrate step can run the app's own command. The other steps always run the migrator in its own image.
    const own =
      step === "migrate" && settings.runner === "command"
        ? commandContainer(migrator, args.appImage, settings, database)
        : undefined;
    // The contract Job waits for the soak time itself, so its deadline must include that.
    const deadline = settings.deadline.plus(step === "contract" ? settings.soak.seconds : 0);
    this.job = new Job(
      `${name}-${releaseId}`,
      {
        metadata: { name: jobName, namespace, labels: labels(app, step) },
        spec: {
          // The Job has one try, because a person must see what a failed migration left behind before it runs again. It
          // has neither a podFailurePolicy nor a TTL, because Pulumi (pulumi-kubernetes 4.34,
          // provider/pkg/await/job.go) recognises neither a failure by that policy nor a Job that the TTL has deleted.
          backoffLimit: 0,
          activeDeadlineSeconds: deadline.seconds,
          template: {
            metadata: { labels: labels(app, step), annotations: { [RELEASE_ANNOTATION]: releaseId } },
            spec: {
              restartPolicy: "Never",
              terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
              ...podIdentity(settings),
              automountServiceAccountToken: false,
              containers: [
                {
                  name: step,
                  image: own?.image ?? settings.image,
                  command: own?.command ?? ["node", migrator],
                  args: [...migratorArguments(args), ...(own?.args ?? [])],
                  env: [
                    ...(own?.env ?? []),
                    secretVariable("DATABASE_URL", database.secret.name, database.secret.migrationKey),
                    { name: "RELEASE_ID", value: releaseId },
                  ],
                  resources: settings.resources,
                  // `pulumi up` shows the end of the log as the error. The log never contains a secret.
                  terminationMessagePolicy: "FallbackToLogsOnError",
                  securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
                  volumeMounts: [{ name: "release", mountPath: FOLDER, readOnly: true }, ...(own?.volumeMounts ?? [])],
                },
              ],
              volumes: [
                { name: "release", projected: { sources: files.names.map((each) => ({ configMap: { name: each } })) } },
                ...(own?.volumes ?? []),
              ],
            },
          },
        },
      },
      {
        // The arguments already use an output of the snapshot. dependsOn makes the Job wait for all of its resources.
        ...childOf(this, opts, [files, ...(snapshot ? [snapshot] : [])]),
        replaceOnChanges: ["*"],
        deleteBeforeReplace: true,
        customTimeouts: { create: deadline.plus(AWAIT_MARGIN_SECONDS).text },
      },
    );
    warnWhenOverdue(this.job, jobName, deadline, args.begins ?? pulumi.output(undefined));
    this.registerOutputs({});
  }
}

/** The migrator's verb and its options for each step. */
const VERBS: Record<MigratorJobArgs["step"], (args: MigratorJobArgs) => string[]> = {
  preflight: ({ settings: { runner }, review: { refuse, acknowledgements } }) => [
    ...["preflight", "--runner", runner],
    ...refuse.flatMap((each) => ["--refuse", each]),
    ...acknowledgements.flatMap((each) => ["--acknowledge", literal(JSON.stringify(each))]),
  ],
  migrate: ({ settings: { runner } }) => [runner === "command" ? "run" : "deploy", "--hold-contract"],
  contract: ({ settings: { soak } }) => ["deploy", "--after-rollout", "--soak", soak.text],
};

/**
 * Escapes `$` in an argument. Otherwise Kubernetes would replace `$(NAME)` by the value of that environment variable,
 * such as the connection string.
 */
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function migratorArguments(args: MigratorJobArgs) {
  const { step, settings, notes, snapshot, snapshotMaxAge } = args;
  const options: [flag: string, value: pulumi.Input<string> | number | undefined][] = [
    ["--payload", FOLDER],
    ["--lock-timeout", settings.lockTimeout.text],
    ["--lock-retry-timeout", settings.lockRetryTimeout.text],
    ["--statement-timeout", settings.statementTimeout.text],
    ["--max-transaction-age", settings.maxTransactionAge.text],
    ["--max-connections-percent", settings.maxConnectionsPercent],
    ["--max-sequence-percent", settings.maxSequencePercent],
    ["--max-row-loss-percent", settings.maxRowLossPercent],
    ["--disk-free", settings.diskFree && `${parseMemory(settings.diskFree)}B`],
    ["--snapshot", snapshot?.identifier],
    ["--snapshot-created-at", snapshot?.createdAt.apply((time) => time ?? "gone")],
    ["--snapshot-completed-at", snapshot?.completedAt.apply((time) => time ?? "gone")],
    ["--snapshot-max-age", snapshot && snapshotMaxAge.text],
    ...Object.entries(settings.checks).map(([check, level]) => ["--check", `${check}=${level}`] as [string, string]),
    ...Object.entries(notes).map(([key, text]) => ["--note", literal(`${key}=${text}`)] as [string, string]),
  ];
  const given = options.flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, typeof value === "number" ? String(value) : value],
  );
  const switches = [
    ...(settings.allowDatabaseAhead ? ["--allow-database-ahead"] : []),
    ...(settings.showValues ? ["--show-values"] : []),
  ];
  return [...VERBS[step](args), ...given, ...switches];
}
