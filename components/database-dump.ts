import type { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { PARALLEL_ENDINGS } from "../backup/parallel";
import { CLAIM_FOLDER, ENDINGS, POD_FOLDER } from "../backup/pod-folder";
import { type BackupJobArgs, backupJob, flags } from "./backup-job";
import type { BackupStep } from "./backup-step";
import { connectionArguments } from "./database-environment";
import { dumpDeadline, dumpJobManifest } from "./dump-job-manifest";
import type { DumpSettings } from "./dump-pod";
import { ReleaseError } from "./release-error";

/** The arguments of a dump: the database, the place and the programs. */
export interface DatabaseDumpArgs extends BackupJobArgs {
  backup: DumpSettings;
}

/**
 * A dump of the database before the migration, taken by `pg_dump` in a Job. The name of the dump and of the Job depends
 * on the migrations only. A Job that runs again finds the dump that is there, and takes no other. The dump outlives its
 * release: it stays in its store when the Job leaves the program and when the stack is destroyed.
 */
export class DatabaseDump extends pulumi.ComponentResource implements BackupStep {
  readonly kind = "dump";
  readonly id: string;
  readonly job: Job;
  /** The place of the dump: `s3://bucket/…` or `pvc://claim/…`. */
  readonly location: pulumi.Output<string | undefined>;
  /**
   * The times at which the Job began and ended (ISO 8601). The database knows those of the dump itself, which are
   * earlier if the Job has found the dump of an earlier run.
   */
  readonly createdAt: pulumi.Output<string | undefined>;
  readonly completedAt: pulumi.Output<string | undefined>;
  readonly resources: readonly pulumi.Resource[] = [this];

  constructor(name: string, args: DatabaseDumpArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:DatabaseDump", name, {}, opts);
    const { app, namespace, releaseId, database, identifier, settings, backup } = args;
    const { dump } = backup;
    this.id = identifier;
    const endings = dump.jobs > 1 ? PARALLEL_ENDINGS : ENDINGS;
    const ending = dump.recipients.length > 0 ? endings.encrypted : endings.plain;
    const location = `${dump.to ?? `pvc://${dump.claim}`}/${identifier}${ending}`;
    this.job = backupJob(
      this,
      name,
      args,
      {
        step: "dump",
        deadline: dumpDeadline(backup),
        manifest: (files) =>
          dumpJobManifest({
            ...{ name, namespace, app, releaseId, database, settings, backup, files },
            arguments: [...dumpArguments(args), ...connectionArguments(database)],
          }),
      },
      opts,
    );
    this.createdAt = this.job.status.apply((status) => status?.startTime);
    this.completedAt = this.job.status.apply((status) => status?.completionTime);
    this.location = this.job.id.apply(() => location);
    this.registerOutputs({ location });
  }
}

/** Returns the arguments of the storing program. None of them is a secret. */
function dumpArguments(args: DatabaseDumpArgs): string[] {
  const { app, identifier, fingerprint, lastMigration, settings, backup } = args;
  const { dump, image = "", timeout } = backup;
  return flags([
    ["--to", dump.to],
    ["--claim", dump.claim],
    ["--claim-folder", dump.claim && CLAIM_FOLDER],
    ["--folder", POD_FOLDER],
    ["--endpoint", dump.endpoint],
    ["--region", dump.region],
    ["--name", identifier],
    ["--project", pulumi.getProject()],
    ["--stack", pulumi.getStack()],
    ["--app", app],
    ["--fingerprint", fingerprint],
    ["--last-migration", lastMigration],
    ["--image", image],
    ["--jobs", dump.jobs > 1 ? String(dump.jobs) : undefined],
    ["--lock-timeout", dump.lockTimeout.text],
    ["--timeout", timeout.text],
    ["--connect-wait", settings.connectWait.text],
    ...dump.recipients.map((each): [string, string] => ["--recipient", each]),
  ]);
}

/** This error reports a program that gives no storing program, while its settings want a dump. */
export class DumpProgramMissing extends ReleaseError {
  override readonly name = "DumpProgramMissing";

  constructor() {
    super(
      'The setting backup.mode is "dump", but the program passes no `dumper`, which stores the dump.\n' +
        "Nothing was touched: database and app are as they were.\n" +
        "Pass all of the inputs that `prepareRelease` returns, and run the same command again.",
    );
  }
}
