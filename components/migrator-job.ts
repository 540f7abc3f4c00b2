import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { parseMemory } from "../settings/units";
import { commandContainer } from "./command-runner";
import type { MigrationFiles } from "./migration-files";
import { warnWhenOverdue } from "./overdue";
import {
  CONTAINER_SECURITY,
  type DatabaseAccess,
  labels,
  podSecurity,
  RELEASE_ANNOTATION,
  secretVariable,
} from "./pods";
import type { DatabaseSnapshot } from "./snapshot";

/** What one Job of a release does, and with what. */
export interface MigratorJobArgs {
  /**
   * `preflight` looks and touches nothing; `migrate` applies what is pending, and verifies it; `contract` applies after the
   * rollout, and after `settings.soak`, what only the old version needed.
   */
  step: "preflight" | "migrate" | "contract";
  app: string;
  namespace: pulumi.Input<string>;
  releaseId: string;
  database: DatabaseAccess;
  settings: Settings["migrations"];
  /** What the preflight Job refuses once more, by what the database really has. */
  review: Settings["review"];
  /** Of the app: where `migrations.runner` is "command", it is the one that migrates. */
  appImage: string;
  /** What only people know, for the checklist that the Job prints. */
  notes: Omit<Settings["report"], "directory">;
  /** The ConfigMaps with the migrator and the SQL. */
  files: MigrationFiles;
  /** The snapshot that a deploy relies upon; none where the environment allows a release without a backup. */
  snapshot?: DatabaseSnapshot | undefined;
  /** Known when everything that the Job depends on is done; default: at once. */
  begins?: pulumi.Output<unknown> | undefined;
  /** With migrations pending, a deploy refuses a snapshot older than this. */
  snapshotMaxAge: Settings["backup"]["maxAge"];
}

const FOLDER = "/release";

/** Added to the Job's own deadline, so that its pod's last words arrive before Pulumi stops waiting. */
const AWAIT_MARGIN_SECONDS = 120;

/** Longer than the migrator needs to cancel its statement, roll back and say so. */
const TERMINATION_GRACE_SECONDS = 30;

/**
 * One run of the migrator, as a Kubernetes Job. Its name carries the release id, so that every release has Jobs of its
 * own; a failed one is replaced, and thereby run again, by the next plain `up`.
 */
export class MigratorJob extends pulumi.ComponentResource {
  readonly job: Job;
  /** Of the Job in its namespace. */
  readonly name: string;

  constructor(name: string, args: MigratorJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:MigratorJob", name, {}, opts);
    const { step, app, namespace, releaseId, database, settings, snapshot, files } = args;

    const jobName = `${app}-${step}-${releaseId}`;
    this.name = jobName;
    const migrator = `${FOLDER}/migrator.cjs`;
    // Only the migration itself is the command's: before and after it looks the migrator, on its own image.
    const own =
      step === "migrate" && settings.runner === "command"
        ? commandContainer(migrator, args.appImage, settings, database)
        : undefined;
    // The soak is part of the contract Job's run.
    const deadline = settings.deadline.plus(step === "contract" ? settings.soak.seconds : 0);
    this.job = new Job(
      `${name}-${releaseId}`,
      {
        metadata: { name: jobName, namespace, labels: labels(app, step) },
        spec: {
          // One try: what a failed migration left behind is looked at before it runs again. No podFailurePolicy and no
          // TTL: Pulumi (pulumi-kubernetes 4.34, provider/pkg/await/job.go) recognises neither the first's failures nor a
          // collected Job.
          backoffLimit: 0,
          activeDeadlineSeconds: deadline.seconds,
          template: {
            metadata: { labels: labels(app, step), annotations: { [RELEASE_ANNOTATION]: releaseId } },
            spec: {
              restartPolicy: "Never",
              terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
              securityContext: podSecurity(settings.runAsUser),
              automountServiceAccountToken: false,
              ...(settings.serviceAccount ? { serviceAccountName: settings.serviceAccount } : {}),
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
                  // The tail of the log becomes the error that `pulumi up` shows: no secret is ever in it.
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
        parent: this,
        // The snapshot by dependsOn too: its component covers more than the output that the arguments take.
        dependsOn: [files, ...(snapshot ? [snapshot] : []), ...dependencies(opts)],
        replaceOnChanges: ["*"],
        deleteBeforeReplace: true,
        customTimeouts: { create: deadline.plus(AWAIT_MARGIN_SECONDS).text },
      },
    );
    warnWhenOverdue(this.job, jobName, deadline, args.begins ?? pulumi.output(undefined));
    this.registerOutputs({});
  }
}

/** A component's dependsOn is not its children's: they need it as their own. */
function dependencies(opts: pulumi.ComponentResourceOptions | undefined): pulumi.Resource[] {
  return [opts?.dependsOn ?? []].flat() as pulumi.Resource[];
}

/** What each step asks of the migrator. */
const VERBS: Record<MigratorJobArgs["step"], (args: MigratorJobArgs) => string[]> = {
  preflight: ({ settings: { runner }, review: { refuse, acknowledgements } }) => [
    ...["preflight", "--runner", runner],
    ...refuse.flatMap((each) => ["--refuse", each]),
    ...acknowledgements.flatMap((each) => ["--acknowledge", literal(JSON.stringify(each))]),
  ],
  migrate: ({ settings: { runner } }) => [runner === "command" ? "run" : "deploy", "--hold-contract"],
  contract: ({ settings: { soak } }) => ["deploy", "--after-rollout", "--soak", soak.text],
};

/** Kubernetes puts the value of a variable, such as the connection string, where `$(NAME)` stands in an argument. */
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
