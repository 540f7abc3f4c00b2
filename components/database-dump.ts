import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { CLAIM_FOLDER, ENDINGS, POD_FOLDER } from "../backup/pod-folder";
import type { Settings } from "../settings/schema";
import type { BackupStep } from "./backup-step";
import { childOf } from "./child";
import { connectionArguments, type DatabaseSource } from "./database-environment";
import { type DumpSettings, dumpDeadline, dumpJobManifest } from "./dump-job-manifest";
import { jobFiles } from "./job-files";
import type { ReportReader } from "./job-reports";
import { tellEndOfPod, warnOfLingering } from "./job-watch";
import { warnWhenOverdue } from "./overdue";
import { RELEASE_ANNOTATION } from "./pods";
import { ReleaseError } from "./release-error";

/** The arguments of a dump: the database, the place and the programs. */
export interface DatabaseDumpArgs {
  app: string;
  namespace: pulumi.Input<string>;
  releaseId: string;
  database: DatabaseSource;
  /** The name of the dump, with folders and without an ending. */
  identifier: string;
  /** The sha-256 of the migrations that the dump is taken before. */
  fingerprint: string;
  /** The last of these migrations. A database that has it needs no dump. Default: it always needs one. */
  lastMigration?: string | undefined;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  backup: DumpSettings;
  /** The storing program as one CommonJS file. */
  program: string;
  /** The AWS SDK's signer as one CommonJS file, if the database is logged in to by IAM. */
  signer?: string | undefined;
  /** The options for reading the Job's pod. Without them nothing tells what ended a pod from outside. */
  reader?: ReportReader | undefined;
  /** An output that is known when everything that the Job depends on is done. Default: it is known at once. */
  begins?: pulumi.Output<unknown> | undefined;
}

/** The seconds that Pulumi waits beyond the Job's own deadline, so that the pod's last messages still arrive. */
const AWAIT_MARGIN_SECONDS = 120;

/** The release's id is not of the dump, so a release of only a new image doesn't run the Job again. */
const OF_OTHER_RELEASES = [`spec.template.metadata.annotations["${RELEASE_ANNOTATION}"]`];

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
    const deadline = dumpDeadline(backup);
    this.id = identifier;
    const ending = dump.recipients.length > 0 ? ENDINGS.encrypted : ENDINGS.plain;
    const location = `${dump.to ?? `pvc://${dump.claim}`}/${identifier}${ending}`;
    const contents = [
      { data: { "dump.cjs": args.program } },
      ...(args.signer === undefined ? [] : [{ data: { "rds-signer.cjs": args.signer } }]),
    ];
    const files = jobFiles(name, { app, namespace, component: "dump", contents }, { parent: this });
    const watched = { name, step: "dump" as const, namespace, reader: args.reader };
    this.job = new Job(
      name,
      dumpJobManifest({
        ...{ name, namespace, app, releaseId, database, settings, backup },
        arguments: [...dumpArguments(args), ...connectionArguments(database)],
        files: files.names,
      }),
      {
        ...childOf(this, opts, files.maps),
        replaceOnChanges: ["*"],
        deleteBeforeReplace: true,
        ignoreChanges: OF_OTHER_RELEASES,
        customTimeouts: { create: deadline.plus(AWAIT_MARGIN_SECONDS).text },
        ...tellEndOfPod(watched, this),
      },
    );
    const begins = args.begins ?? pulumi.output(undefined);
    warnWhenOverdue(this.job, name, deadline, begins);
    warnOfLingering(watched, { begins, ends: this.job.id, parent: this });
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
  const options: [flag: string, value: string | undefined][] = [
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
    ["--lock-timeout", dump.lockTimeout.text],
    ["--timeout", timeout.text],
    ["--connect-wait", settings.connectWait.text],
    ...dump.recipients.map((each): [string, string] => ["--recipient", each]),
  ];
  return options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
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
