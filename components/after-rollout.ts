import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Sizes } from "../text/table-size";
import { serviceName } from "./app-manifests";
import { restoreCommand } from "./backup";
import { backupOutput } from "./backup-step";
import { dependencies, formerlyBesideParent } from "./child";
import { DatabaseBranch } from "./database-branch";
import { DatabaseDump } from "./database-dump";
import type { DatabaseMigration } from "./database-migration";
import { JobReports } from "./job-reports";
import { MigratorJob } from "./migrator-job";
import { pruneBackups } from "./prune-backups";
import { ReleaseCommand } from "./release-command";
import type { LiveRelease } from "./release-outputs";
import { copyName, SnapshotCopy } from "./snapshot-copy";

/** The arguments of the steps after a rollout. */
export interface AfterRolloutArgs {
  /** The migration of this release. */
  migration: DatabaseMigration;
  /**
   * Outputs of everything that is rolled out, such as the ids of its resources. All steps wait for the resources that
   * these come from, and the component's outputs are known once these are.
   */
  rolledOut: pulumi.Output<unknown>;
  /** The URL of the app, for the smoke check, the report and the outputs. Default: empty. */
  url?: pulumi.Input<string>;
}

/**
 * The part of a release after the rollout: sizes of the tables → smoke check → contract migrations → report. Each arrow
 * is a `dependsOn`. A contract migration (`-- release: contract`) takes away what only the old version needed, so it
 * must not run before everything that uses the database runs the new version.
 */
export class AfterRollout extends pulumi.ComponentResource {
  /** The outputs, which are known only once the workloads are rolled out. */
  readonly outputs: pulumi.Output<LiveRelease>;
  /**
   * The sizes of the tables after the migration; null if they are unknown. They are known once the workloads are rolled
   * out and the reports have been read.
   */
  readonly sizes: pulumi.Output<Sizes | null>;
  /**
   * The time at which the Job began that applied these migrations (ISO 8601); null if it is unknown. It is known once
   * the workloads are rolled out.
   */
  readonly migrationBegan: pulumi.Output<string | null>;

  constructor(name: string, args: AfterRolloutArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:AfterRollout", name, {}, opts);
    const { migration, url = "" } = args;
    const { releaseId, namespace, backup, jobs, wayBack } = migration;
    const { settings, history, reader } = migration.args;
    const { app, migrations } = settings;
    const child = { parent: this, ...formerlyBesideParent(opts) };
    // An output in dependsOn adds the resources that it comes from.
    const rolledOut = args.rolledOut.apply((): pulumi.Resource => migration);
    const rollout = [...dependencies(opts), migration, rolledOut];

    const tables =
      reader &&
      new JobReports(
        `${name}-sizes`,
        {
          releaseId,
          reader,
          request: pulumi.output(namespace).apply((known) => ({ namespace: known, jobs: [migration.migration.name] })),
        },
        { ...child, dependsOn: rollout },
      );
    // The sizes are read before the smoke check, so that the outputs describe the version that serves even if the smoke
    // check fails.
    const measured = [...rollout, ...(tables ? [tables] : [])];

    // A copy to another region may take hours. It begins when the new version serves and the outputs are known, so that
    // nothing waits for it, and a copy that fails ends nothing but `up` itself.
    const { laterCopy } = migration;
    const copied = laterCopy && new SnapshotCopy(copyName(laterCopy), laterCopy, { ...child, dependsOn: measured });

    const smoke =
      settings.smoke &&
      new ReleaseCommand(
        `${name}-smoke`,
        {
          releaseId,
          command: settings.smoke.command,
          environment: { RELEASE_ID: releaseId, RELEASE_URL: url },
          timeout: settings.smoke.timeout.text,
          ...(wayBack && { hooks: wayBack.hooks("smoke", "The smoke check") }),
        },
        { ...child, dependsOn: measured },
      );
    const checked = [...measured, ...(smoke ? [smoke] : [])];

    // The runner "command" has no contract step: its command applies everything before the rollout, and reviewGate has
    // refused a release with a contract migration.
    const contract =
      history.contract && migrations.runner === "migrator"
        ? new MigratorJob(
            `${name}-contract`,
            {
              ...jobs,
              step: "contract",
              backup,
              begins: pulumi.output([args.rolledOut, tables?.sizes, smoke?.stdout]),
            },
            { ...child, dependsOn: checked },
          )
        : undefined;

    // The report is the last resource, so that nothing waits for it.
    let page: JobReports | undefined;
    if (reader?.directory !== undefined) {
      const reported = [migration.preflight, migration.migration, ...(contract ? [contract] : [])];
      const written = {
        file: join(reader.directory, `${reader.stack}-${releaseId}.md`),
        release: releaseId,
        fingerprint: history.fingerprint,
        app: app.name,
        stack: reader.stack,
        image: app.image,
        smoke: settings.smoke?.command,
        restore: backup && restoreCommand(settings, pulumi.getStack(), backup),
      };
      page = new JobReports(
        `${name}-report`,
        {
          releaseId,
          reader,
          request: pulumi.all([namespace, url]).apply(([known, at]) => ({
            namespace: known,
            jobs: reported.map((each) => each.name),
            page: { ...written, namespace: known, url: at },
          })),
        },
        { ...child, dependsOn: [...checked, ...(contract ? [contract] : [])] },
      );
    }

    // The migration Job reports when the dump or the branch was really made, and a dump's checksum.
    const reported = backup instanceof DatabaseDump || backup instanceof DatabaseBranch ? tables?.backup : undefined;
    const made = pulumi
      .all([backupOutput(backup), reported])
      .apply(([known, told]) => (known && told?.id === known.id ? { ...known, ...told } : known));

    this.outputs = pulumi.all([args.rolledOut, url, namespace, made]).apply(([, at, known, made]) => ({
      releaseId,
      // A snapshot that somebody has deleted can't be restored, so it is left out.
      snapshot: made?.kind === "snapshot" ? { id: made.id, arn: made.location, createdAt: made.createdAt } : null,
      backup: made,
      migrations: {
        last: history.migrations.at(-1)?.name ?? null,
        count: history.migrations.length,
        fingerprint: history.fingerprint,
      },
      attempt: settings.release.attempt,
      image: app.image,
      before: [...(migration.args.earlier ?? [])],
      namespace: known,
      service: serviceName(app, settings.service),
      url: at,
      restore: (made && restoreCommand(settings, pulumi.getStack(), made)) ?? null,
    }));
    this.sizes = tables?.sizes ?? args.rolledOut.apply(() => null);
    // A release that changes only the image has a migration Job too, but its migrations were applied by an earlier one.
    this.migrationBegan = pulumi.all([args.rolledOut, migration.migration.job.metadata]).apply(([, metadata]) => {
      const { migrationBegan } = migration.args;
      return migrationBegan === undefined ? (metadata?.creationTimestamp ?? null) : migrationBegan;
    });

    // Old backups go when everything else of the release is done.
    pruneBackups(
      {
        ...migration.args,
        ...{ namespace, outputs: this.outputs, kubectl: reader ?? {} },
        completed: pulumi.all([smoke?.stdout, contract?.job.id, page?.stdout, copied?.completedAt]),
      },
      this,
    );
    this.registerOutputs({ outputs: this.outputs, sizes: this.sizes, migrationBegan: this.migrationBegan });
  }
}
