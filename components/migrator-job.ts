import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { BackupStep } from "./backup-step";
import { childOf } from "./child";
import { commandContainer } from "./command-container";
import type { DatabaseSource } from "./database-environment";
import { bothHooks } from "./error-hook";
import type { ReportReader } from "./job-reports";
import { tellEndOfPod, warnOfLingering } from "./job-watch";
import type { MigrationFiles } from "./migration-files";
import { type StepArgs, stepArguments } from "./migrator-arguments";
import { MIGRATOR, migratorJobManifest } from "./migrator-job-manifest";
import { warnWhenOverdue } from "./overdue";
import type { WayBack } from "./way-back";

/** The arguments of one of a release's Jobs. */
export interface MigratorJobArgs extends Omit<StepArgs, "stack"> {
  app: string;
  namespace: pulumi.Input<string>;
  releaseId: string;
  database: DatabaseSource;
  /** The app's image. It runs the migration if `migrations.runner` is "command". */
  appImage: string;
  /** The ConfigMaps with the migrator and the SQL. */
  files: MigrationFiles;
  backup?: BackupStep | undefined;
  /** The options for reading the Job's pod. Without them nothing tells what ended a pod from outside. */
  reader?: ReportReader | undefined;
  /** What tells the way back if the Job fails. Default: nothing is told. */
  wayBack?: WayBack | undefined;
  /** An output that is known when everything that the Job depends on is done. Default: it is known at once. */
  begins?: pulumi.Output<unknown> | undefined;
}

/** The seconds that Pulumi waits beyond the Job's own deadline, so that the pod's last messages still arrive. */
const AWAIT_MARGIN_SECONDS = 120;

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
    const { step, app, namespace, releaseId, database, settings, backup, files } = args;

    const jobName = `${app}-${step}-${releaseId}`;
    this.name = jobName;
    // Only the migrate step can run the app's own command. The other steps always run the migrator in its own image.
    const own =
      step === "migrate" && settings.runner === "command"
        ? commandContainer(MIGRATOR, args.appImage, settings, database.settings)
        : undefined;
    // The contract Job waits for the soak time itself, so its deadline must include that.
    const deadline = settings.deadline.plus(step === "contract" ? settings.soak.seconds : 0);
    const watched = { name: jobName, step, namespace, reader: args.reader };
    this.job = new Job(
      `${name}-${releaseId}`,
      migratorJobManifest({
        ...{ name: jobName, namespace, app, component: step, releaseId, database, settings, deadline, own },
        arguments: stepArguments({ ...args, stack: pulumi.getStack() }),
        files: files.names,
      }),
      {
        // The arguments already use an output of the backup. dependsOn makes the Job wait for all of its resources.
        ...childOf(this, opts, [files, ...(backup?.resources ?? [])]),
        replaceOnChanges: ["*"],
        deleteBeforeReplace: true,
        customTimeouts: { create: deadline.plus(AWAIT_MARGIN_SECONDS).text },
        ...bothHooks(
          tellEndOfPod(watched, this),
          step === "preflight" ? {} : (args.wayBack?.hooks(step, `Job ${jobName}`) ?? {}),
        ),
      },
    );
    const begins = args.begins ?? pulumi.output(undefined);
    warnWhenOverdue(this.job, jobName, deadline, begins);
    warnOfLingering(watched, { begins, ends: this.job.id, parent: this });
    this.registerOutputs({});
  }
}
