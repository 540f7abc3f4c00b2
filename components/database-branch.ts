import type { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { branchLocation } from "../settings/neon";
import { type BackupJobArgs, backupJob, flags } from "./backup-job";
import type { BackupStep } from "./backup-step";
import { type BranchSettings, branchDeadline, branchJobManifest } from "./branch-job-manifest";
import { ReleaseError } from "./release-error";

/** The arguments of a branch: the database, the project and the program. */
export interface DatabaseBranchArgs extends BackupJobArgs {
  backup: BranchSettings;
}

/**
 * A branch of Neon before the migration, which a Job asks Neon's API for. The name of the branch and of the Job depends
 * on the migrations only. The branch outlives its release: it stays when the Job leaves the program and when the stack
 * is destroyed.
 */
export class DatabaseBranch extends pulumi.ComponentResource implements BackupStep {
  readonly kind = "branch";
  readonly id: string;
  readonly job: Job;
  /** The place of the branch: `neon://project/name`. */
  readonly location: pulumi.Output<string | undefined>;
  /**
   * The times at which the Job began and ended (ISO 8601). The database knows that of the branch itself, which is earlier
   * if the Job has found the branch of an earlier run.
   */
  readonly createdAt: pulumi.Output<string | undefined>;
  readonly completedAt: pulumi.Output<string | undefined>;
  readonly resources: readonly pulumi.Resource[] = [this];

  constructor(name: string, args: DatabaseBranchArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:DatabaseBranch", name, {}, opts);
    const { app, namespace, releaseId, database, identifier, settings, backup } = args;
    this.id = identifier;
    const location = branchLocation(backup.branch.project, identifier);
    this.job = backupJob(
      this,
      name,
      args,
      {
        step: "branch",
        deadline: branchDeadline(backup),
        manifest: (files) =>
          branchJobManifest({
            ...{ name, namespace, app, releaseId, database, settings, backup, files },
            arguments: branchArguments(args),
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

/** Returns the arguments of the program. None of them is a secret. */
function branchArguments({ app, identifier, fingerprint, lastMigration, settings, backup }: DatabaseBranchArgs) {
  const { project, parent, endpoint } = backup.branch;
  return flags([
    ["--neon-project", project],
    ["--parent", parent],
    ["--endpoint", endpoint],
    ["--name", identifier],
    ["--project", pulumi.getProject()],
    ["--stack", pulumi.getStack()],
    ["--app", app],
    ["--fingerprint", fingerprint],
    ["--last-migration", lastMigration],
    ["--timeout", backup.timeout.text],
    ["--connect-wait", settings.connectWait.text],
  ]);
}

/** This error reports a program that gives no program for branches, while its settings want one. */
export class BranchProgramMissing extends ReleaseError {
  override readonly name = "BranchProgramMissing";

  constructor() {
    super(
      'The setting backup.mode is "branch", but the program passes no `brancher`, which makes the branch.\n' +
        "Nothing was touched: database and app are as they were.\n" +
        "Pass all of the inputs that `prepareRelease` returns, and run the same command again.",
    );
  }
}
