import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Review } from "../review/review";
import type { Settings } from "../settings/schema";
import { type Backup, BackupMissing } from "./backup";
import { type BackupStep, earlierBackup } from "./backup-step";
import { dependencies, formerlyBesideParent } from "./child";
import { BranchProgramMissing, DatabaseBranch } from "./database-branch";
import { DatabaseDump, DumpProgramMissing } from "./database-dump";
import { databaseEndpoints } from "./database-endpoint";
import type { DatabaseSource } from "./database-environment";
import type { ReportReader } from "./job-reports";
import { MigrationFiles } from "./migration-files";
import { MigratorJob, type MigratorJobArgs } from "./migrator-job";
import type { OpsRunner } from "./ops-command";
import type { BackupPruner } from "./prune-backups";
import { rehearseMigrations } from "./rehearsal";
import { releaseIdOf } from "./release-id";
import type { EarlierRelease } from "./release-outputs";
import { requireReview, showReview } from "./review-gate";
import { SignerMissing } from "./signer-missing";
import { CopyProviderMissing, type SnapshotCopyArgs } from "./snapshot-copy";
import { type MadeBackup, snapshotOf } from "./snapshot-of-release";
import { type ReleaseBefore, WayBack } from "./way-back";

/** The arguments of a migration. The image, the migrations and the settings of the migrator decide the release's id. */
export interface DatabaseMigrationArgs {
  settings: Settings;
  /** The migrations, which the caller has read and packed. Components read no files. */
  history: PackedHistory;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** The AWS SDK's signer as one CommonJS file. It is required if `database.auth` is "iam", and not used otherwise. */
  signer?: string | undefined;
  /** The program that stores dumps, as one CommonJS file. It is required if `backup.mode` is "dump". */
  dumper?: string | undefined;
  /** The program that makes branches of Neon, as one CommonJS file. It is required if `backup.mode` is "branch". */
  brancher?: string | undefined;
  /** The result of `planBackup`; undefined if `backup.mode` is "none". */
  backup?: Backup | undefined;
  /** The AWS provider of `backup.copy.region`. It is required if that is set. */
  copyProvider?: pulumi.ProviderResource | undefined;
  /** The result of `reviewGate`, whose findings `pulumi up` shows. It is required if `review.refuse` is not empty. */
  review?: Review | undefined;
  /**
   * The time at which the live release's migration Job began (ISO 8601), if the live release has the same migrations;
   * null if that time is unknown. Default: the migrations are new, and the Job of this release applies them.
   */
  migrationBegan?: string | null | undefined;
  /** The releases that were live before, the newest first, for the outputs. Default: none. */
  earlier?: readonly EarlierRelease[] | undefined;
  /** The release that is live before this one. Without it, nothing tells the way back when a step fails. */
  before?: ReleaseBefore | undefined;
  /** How the migrations are rehearsed on a copy before production gets them. Default: they aren't. */
  rehearsal?: OpsRunner | undefined;
  /** How old backups are removed after the release. Default: none are. */
  pruner?: BackupPruner | undefined;
  /** Tags that are added to the snapshot's own. */
  tags?: Record<string, string>;
  /** Values that other resources of the program make. */
  provided?: ProvidedDatabase;
  /** The options for reading back the Jobs' reports. Without them the sizes stay unknown and no report is written. */
  reader?: ReportReader | undefined;
}

/**
 * Values that come from other resources of the same program and replace the corresponding settings. The migration waits
 * for them. The values that decide the release id (`app.image`, the migrations, `migrations.*`) can't be among them:
 * the id is part of resource names, so it must be known while the program runs.
 */
export interface ProvidedDatabase {
  /** The namespace, which replaces the setting `namespace`. */
  namespace?: pulumi.Input<string>;
  /** The identifier of the database that the snapshot is taken of. `database.identifier` still names the snapshots. */
  databaseIdentifier?: pulumi.Input<string>;
  /** The name of the Kubernetes Secret, which replaces `database.secret.name`. */
  databaseSecret?: pulumi.Input<string>;
}

/** The arguments that all Jobs of a release have in common. */
export type SharedJobArgs = Omit<MigratorJobArgs, "step" | "backup" | "begins">;

/**
 * Checks that the arguments contain what their settings require.
 *
 * @throws {@link BackupMissing} when the settings require a backup and none is given
 * @throws {@link DumpProgramMissing} when the settings want a dump and the program that stores it is not given
 * @throws {@link BranchProgramMissing} when the settings want a branch and the program that makes it is not given
 * @throws {@link CopyProviderMissing} when the settings require a copy of the backup and no provider is given for it
 * @throws {@link SignerMissing} when the settings want logins by IAM and the signer is not given
 * @throws ReviewMissing when the settings refuse something and no review of these settings and migrations is given
 * @throws ReviewRefused when the given review has refused findings
 */
export function requireInputs(args: DatabaseMigrationArgs): void {
  const { settings, history, review, backup, dumper, brancher, signer } = args;
  requireReview(settings, history, review);
  if (settings.backup.mode !== "none" && !backup) throw new BackupMissing();
  if (settings.backup.mode === "dump" && dumper === undefined) throw new DumpProgramMissing();
  if (settings.backup.mode === "branch" && brancher === undefined) throw new BranchProgramMissing();
  if (settings.backup.copy && !args.copyProvider) throw new CopyProviderMissing(settings.backup.copy.region);
  if (settings.database.auth === "iam" && signer === undefined) throw new SignerMissing();
}

/**
 * The part of a release before the rollout: preflight Job → backup → rehearsal on a copy, if the settings want it →
 * migration Job, which verifies what it did. Each arrow is a `dependsOn`. A workload that uses the database names the component in its own `dependsOn`, so it is only
 * changed once the migration has succeeded.
 */
export class DatabaseMigration extends pulumi.ComponentResource {
  /** The release's id, a shortened sha-256. If the id is unchanged, there is nothing to migrate. */
  readonly releaseId: string;
  /** The arguments that the component was given. */
  readonly args: DatabaseMigrationArgs;
  /** The namespace of the Jobs. */
  readonly namespace: pulumi.Input<string>;
  /** What tells the way back if a step of the release fails; undefined if nothing does. */
  readonly wayBack: WayBack | undefined;
  /** What the Jobs of this release have in common. */
  readonly jobs: SharedJobArgs;
  readonly preflight: MigratorJob;
  /** The backup before the migration; undefined if `backup.mode` is "none". */
  readonly backup: BackupStep | undefined;
  /** The copy of the backup that is to be made after the rollout; undefined if none is. */
  readonly laterCopy: SnapshotCopyArgs | undefined;
  readonly migration: MigratorJob;

  /** @throws the errors of {@link requireInputs} */
  constructor(name: string, args: DatabaseMigrationArgs, opts?: pulumi.ComponentResourceOptions) {
    requireInputs(args);
    super("release:index:DatabaseMigration", name, {}, opts);
    const { settings, history, backup, provided = {} } = args;
    const { app, migrations } = settings;
    const { namespace = settings.namespace } = provided;
    const database = { settings: settings.database, secretName: provided.databaseSecret };

    const releaseId = releaseIdOf(settings, history.fingerprint);
    this.releaseId = releaseId;
    this.args = args;
    this.namespace = namespace;

    this.wayBack =
      args.before &&
      new WayBack({
        before: args.before,
        image: app.image,
        review: args.before.review ?? args.review,
        adopts: app.adopt,
        ownImages: settings.workloads.flatMap((each) => (each.image === undefined ? [] : each.name)),
      });

    const child = { parent: this, ...formerlyBesideParent(opts) };
    const files = new MigrationFiles(
      `${name}-migration`,
      {
        app: app.name,
        namespace,
        migrator: args.migrator,
        signer: settings.database.auth === "iam" ? args.signer : undefined,
        payload: history.payload,
      },
      child,
    );
    // Only names that RDS keeps are passed on, so a failover doesn't change the Jobs and run them again.
    const { kind, identifier = "", endpointCheck } = settings.database;
    const compared = settings.backup.mode === "snapshot" && endpointCheck === "on";
    const endpoints = compared
      ? pulumi
          .output(provided.databaseIdentifier ?? identifier)
          .apply((known) => databaseEndpoints({ kind, identifier: known }, { parent: this }))
          .apply((found) => found.join(","))
      : undefined;

    const { directory: _, ...notes } = settings.report;
    this.jobs = {
      app: app.name,
      namespace,
      releaseId,
      database,
      settings: migrations,
      review: settings.review,
      drift: settings.drift,
      appImage: app.image,
      notes,
      files,
      reader: args.reader,
      wayBack: this.wayBack,
      snapshotMaxAge: settings.backup.maxAge,
      endpointCheck,
      endpoints,
    };

    this.preflight = new MigratorJob(
      `${name}-preflight`,
      { ...this.jobs, step: "preflight" },
      { ...child, dependsOn: dependencies(opts) },
    );

    const made = backup && this.makeBackup(backup, database, { ...child, dependsOn: [this.preflight] });
    this.backup = made?.step;
    this.laterCopy = made?.laterCopy;

    const { preflight } = this;
    const rehearsed = rehearseMigrations(
      {
        ...{ runner: args.rehearsal, settings, backup: this.backup, namespace, kubectl: args.reader ?? {} },
        checked: preflight.job.id,
      },
      this,
    );

    this.migration = new MigratorJob(
      `${name}-migrate`,
      {
        ...this.jobs,
        step: "migrate",
        backup: this.backup,
        begins: pulumi.all([preflight.job.id, this.backup?.createdAt, rehearsed]),
      },
      // An output in dependsOn is waited for.
      { ...child, dependsOn: [preflight, rehearsed.apply((): pulumi.Resource => preflight)] },
    );

    if (args.review) showReview(args.review, this.migration.job);
    this.registerOutputs({ releaseId });
  }

  /** Makes the backup of the kind that the settings name. A release of only a new image makes none. */
  private makeBackup(backup: Backup, database: DatabaseSource, opts: pulumi.ComponentResourceOptions): MadeBackup {
    const { settings, history, provided = {}, copyProvider } = this.args;
    const step = this.backupByJob(backup, database, opts);
    if (step) {
      // The Job stays declared in a release of only a new image, which doesn't change it and doesn't wait for it.
      const { needed = true } = backup;
      return { step: needed ? step : earlierBackup(step.kind, backup.identifier, backup.published) };
    }
    return snapshotOf(
      {
        ...{ settings, backup, copyProvider },
        database: provided.databaseIdentifier ?? settings.database.identifier ?? "",
        tags: { ...this.args.tags, release: this.releaseId, migrations: history.fingerprint },
      },
      opts,
    );
  }

  /** Makes the backup that a Job makes; undefined if RDS makes it. */
  private backupByJob(
    { identifier }: Backup,
    database: DatabaseSource,
    opts: pulumi.ComponentResourceOptions,
  ): DatabaseDump | DatabaseBranch | undefined {
    const { settings, history, dumper = "", brancher = "", signer, reader } = this.args;
    const { backup, app } = settings;
    const { mode, dump, branch } = backup;
    // The part of the name behind the app's is that of the migrations and the attempt.
    const name = `${app.name}-${mode}${identifier.split("/").at(-1)!.slice(app.name.length)}`;
    const args = {
      ...{ app: app.name, namespace: this.namespace, releaseId: this.releaseId, database, identifier, reader },
      ...{ fingerprint: history.fingerprint, lastMigration: history.migrations.at(-1)?.name },
      settings: settings.migrations,
      signer: settings.database.auth === "iam" ? signer : undefined,
      begins: this.preflight.job.id,
    };
    if (mode === "dump" && dump)
      return new DatabaseDump(name, { ...args, program: dumper, backup: { ...backup, dump } }, opts);
    if (mode === "branch" && branch)
      return new DatabaseBranch(name, { ...args, program: brancher, backup: { ...backup, branch } }, opts);
    return undefined;
  }
}
