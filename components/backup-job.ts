import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import { childOf } from "./child";
import type { DatabaseSource } from "./database-environment";
import { jobFiles } from "./job-files";
import type { ReportReader } from "./job-reports";
import { tellEndOfPod, warnOfLingering } from "./job-watch";
import type { MigratorJobManifest } from "./migrator-job-manifest";
import { warnWhenOverdue } from "./overdue";
import { RELEASE_ANNOTATION } from "./pods";

/** The arguments of a backup that a Job makes, whatever its kind. */
export interface BackupJobArgs {
  app: string;
  namespace: pulumi.Input<string>;
  releaseId: string;
  database: DatabaseSource;
  /** The name of the backup, with folders and without an ending. */
  identifier: string;
  /** The sha-256 of the migrations that the backup is made before. */
  fingerprint: string;
  /** The last of these migrations. A database that has it needs no backup. Default: it always needs one. */
  lastMigration?: string | undefined;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  /** The program of the Job as one CommonJS file. */
  program: string;
  /** The AWS SDK's signer as one CommonJS file, if the database is logged in to by IAM. */
  signer?: string | undefined;
  /** The options for reading the Job's pod. Without them nothing tells what ended a pod from outside. */
  reader?: ReportReader | undefined;
  /** An output that is known when everything that the Job depends on is done. Default: it is known at once. */
  begins?: pulumi.Output<unknown> | undefined;
}

/** What differs between the Jobs of the kinds of backups. */
export interface BackupJobKind {
  step: "dump" | "branch";
  /** The time after which Kubernetes ends the Job, if its program hasn't ended it before. */
  deadline: Duration;
  /** Returns the Job's manifest. @param files the names of the ConfigMaps with the program, `STEP.cjs` */
  manifest(files: readonly string[]): MigratorJobManifest;
}

/** The seconds that Pulumi waits beyond the Job's own deadline, so that the pod's last messages still arrive. */
const AWAIT_MARGIN_SECONDS = 120;

/** The release's id is not of the backup, so a release of only a new image doesn't run the Job again. */
const OF_OTHER_RELEASES = [`spec.template.metadata.annotations["${RELEASE_ANNOTATION}"]`];

/**
 * Declares the Job that makes a backup. Its name is that of the component, which depends on the migrations only; a Job
 * that runs again finds the backup that is there, and makes no other.
 */
export function backupJob(
  component: pulumi.ComponentResource,
  name: string,
  args: BackupJobArgs,
  { step, deadline, manifest }: BackupJobKind,
  opts: pulumi.ComponentResourceOptions | undefined,
): Job {
  const { app, namespace, reader } = args;
  const contents = [
    { data: { [`${step}.cjs`]: args.program } },
    ...(args.signer === undefined ? [] : [{ data: { "rds-signer.cjs": args.signer } }]),
  ];
  const files = jobFiles(name, { app, namespace, component: step, contents }, { parent: component });
  const watched = { name, step, namespace, reader };
  const job = new Job(name, manifest(files.names), {
    ...childOf(component, opts, files.maps),
    replaceOnChanges: ["*"],
    deleteBeforeReplace: true,
    ignoreChanges: OF_OTHER_RELEASES,
    customTimeouts: { create: deadline.plus(AWAIT_MARGIN_SECONDS).text },
    ...tellEndOfPod(watched, component),
  });
  const begins = args.begins ?? pulumi.output(undefined);
  warnWhenOverdue(job, name, deadline, begins);
  warnOfLingering(watched, { begins, ends: job.id, parent: component });
  return job;
}

/** Returns flags with their values, without those that have none. */
export function flags(options: readonly [flag: string, value: string | undefined][]): string[] {
  return options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}
