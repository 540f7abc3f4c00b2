import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Review } from "../review/review";
import type { Settings } from "../settings/schema";
import type { Sizes } from "../text/table-size";
import { App } from "./app";
import { type Backup, BackupMissing, restoreCommand } from "./backup";
import { JobReports, type ReportReader } from "./job-reports";
import { MigrationFiles } from "./migration-files";
import { MigratorJob } from "./migrator-job";
import type { LiveRelease } from "./outputs";
import { ReleaseCommand } from "./release-command";
import { releaseIdOf } from "./release-id";
import { requireReview, showReview } from "./review-gate";
import { DatabaseSnapshot } from "./snapshot";
import { Workload } from "./workloads";

/** The arguments of a release. The image, the migrations and the settings of the migrator decide its id. */
export interface ReleaseArgs {
  settings: Settings;
  /** The migrations, which the caller has read and packed. Components read no files. */
  history: PackedHistory;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** The result of {@link planBackup}; undefined if `backup.mode` is "none". */
  backup?: Backup | undefined;
  /** The result of `reviewGate`, whose findings `pulumi up` shows. It is required if `review.refuse` is not empty. */
  review?: Review | undefined;
  /** Tags that are added to the snapshot's own. */
  tags?: Record<string, string>;
  /** Values that other resources of the program make. */
  provided?: ProvidedValues;
  /** The options for reading back the Jobs' reports. Without them the sizes stay unknown and no report is written. */
  reader?: ReportReader;
}

/**
 * Values that come from other resources of the same program and replace the corresponding settings. The release waits
 * for them. The values that decide the release id (`app.image`, the migrations, `migrations.*`) can't be among them:
 * the id is part of resource names, so it must be known while the program runs.
 */
export interface ProvidedValues {
  /** The namespace, which replaces the setting `namespace`. */
  namespace?: pulumi.Input<string>;
  /** The identifier of the database that the snapshot is taken of. `database.identifier` still names the snapshots. */
  databaseIdentifier?: pulumi.Input<string>;
  /** The name of the Kubernetes Secret, which replaces `database.secret.name`. */
  databaseSecret?: pulumi.Input<string>;
  /**
   * Environment variables of the app and of its workloads. They are added to those of the settings and replace those of
   * the same name. They must not contain secrets.
   */
  env?: Record<string, pulumi.Input<string>>;
}

/**
 * One release runs these steps: preflight Job → snapshot → migration Job → app and every other workload → sizes of the
 * tables → smoke check → contract migrations → report. Each arrow is a `dependsOn`, so a step that fails stops all
 * steps to its right, and the app that was serving goes on serving.
 */
export class Release extends pulumi.ComponentResource {
  /** The release's id, a shortened sha-256. If the id is unchanged, there is nothing to release. */
  readonly releaseId: string;
  /** The outputs, which are known only once the app is rolled out. */
  readonly outputs: pulumi.Output<LiveRelease>;
  /**
   * The sizes of the tables after the migration; null if they are unknown. They are known once the app is rolled out
   * and the reports have been read.
   */
  readonly sizes: pulumi.Output<Sizes | null>;

  /**
   * @throws {@link BackupMissing} when the settings require a backup and none is given
   * @throws ReviewMissing when the settings refuse something and no review of these settings and migrations is given
   * @throws ReviewRefused when the given review has refused findings
   */
  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    requireReview(args.settings, args.history, args.review);
    if (args.settings.backup.mode !== "none" && !args.backup) throw new BackupMissing();
    super("release:index:Release", name, {}, opts);
    const { settings, history, backup, reader, provided = {} } = args;
    const { app, migrations, policy } = settings;
    const { namespace = settings.namespace, env = {} } = provided;
    const { secret } = settings.database;
    const database = {
      ...settings.database,
      secret: { ...secret, name: provided.databaseSecret ?? secret.name },
    };

    const releaseId = releaseIdOf(settings, history.fingerprint);
    this.releaseId = releaseId;

    const parent = { parent: this };
    const files = new MigrationFiles(
      `${name}-migration`,
      { app: app.name, namespace, migrator: args.migrator, payload: history.payload },
      parent,
    );
    const { directory: _, ...notes } = settings.report;
    const job = {
      app: app.name,
      namespace,
      releaseId,
      database,
      settings: migrations,
      review: settings.review,
      appImage: app.image,
      notes,
      files,
      snapshotMaxAge: settings.backup.maxAge,
    };

    const preflight = new MigratorJob(`${name}-preflight`, { ...job, step: "preflight" }, parent);

    const snapshot =
      backup &&
      new DatabaseSnapshot(
        backup.identifier,
        {
          ...backup,
          kind: database.kind,
          database: provided.databaseIdentifier ?? database.identifier,
          timeout: settings.backup.timeout,
          encryptionRequired: policy.encryption === "required",
          tags: { ...args.tags, release: releaseId, migrations: history.fingerprint },
        },
        { ...parent, dependsOn: [preflight] },
      );

    const migration = new MigratorJob(
      `${name}-migrate`,
      { ...job, step: "migrate", snapshot, begins: pulumi.all([preflight.job.id, snapshot?.createdAt]) },
      { ...parent, dependsOn: [preflight] },
    );

    if (args.review) showReview(args.review, migration.job);

    const afterMigration = { ...parent, dependsOn: [migration] };
    const shared = { namespace, releaseId, database, provided: env };
    const web = new App(
      name,
      { ...shared, settings: app, service: settings.service, protect: policy.protect },
      afterMigration,
    );
    const workloads = settings.workloads.map(
      (each) => new Workload(`${name}-${each.name}`, { ...shared, app, settings: each }, afterMigration),
    );

    const rollout = [web, ...workloads];
    const tables =
      reader &&
      new JobReports(
        `${name}-sizes`,
        {
          releaseId,
          reader,
          request: pulumi.output(namespace).apply((known) => ({ namespace: known, jobs: [migration.name] })),
        },
        { ...parent, dependsOn: rollout },
      );
    // The sizes are read before the smoke check, so that the outputs describe the version that serves even if the smoke
    // check fails.
    const measured = [...rollout, ...(tables ? [tables] : [])];

    const smoke =
      settings.smoke &&
      new ReleaseCommand(
        `${name}-smoke`,
        {
          releaseId,
          command: settings.smoke.command,
          environment: { RELEASE_ID: releaseId, RELEASE_URL: web.url },
          timeout: settings.smoke.timeout.text,
        },
        { ...parent, dependsOn: measured },
      );
    const checked = [...measured, ...(smoke ? [smoke] : [])];

    // With the runner "command" there is no contract step: that command applies everything before the rollout, and
    // reviewGate has refused a release with a contract migration.
    const contract =
      history.contract && migrations.runner === "migrator"
        ? new MigratorJob(
            `${name}-contract`,
            {
              ...job,
              step: "contract",
              snapshot,
              begins: pulumi.output([
                web.deployment.id,
                ...workloads.map(({ id }) => id),
                tables?.sizes,
                smoke?.stdout,
              ]),
            },
            { ...parent, dependsOn: checked },
          )
        : undefined;

    // The report is the last step, so that nothing waits for it.
    if (reader?.directory !== undefined) {
      const jobs = [preflight, migration, ...(contract ? [contract] : [])].map((each) => each.name);
      const page = {
        file: join(reader.directory, `${reader.stack}-${releaseId}.md`),
        release: releaseId,
        app: app.name,
        stack: reader.stack,
        image: app.image,
        smoke: settings.smoke?.command,
        restore: snapshot && restoreCommand(settings, snapshot.identifier),
      };
      new JobReports(
        `${name}-report`,
        {
          releaseId,
          reader,
          request: pulumi
            .all([namespace, web.url])
            .apply(([known, url]) => ({ namespace: known, jobs, page: { ...page, namespace: known, url } })),
        },
        { ...parent, dependsOn: [...checked, ...(contract ? [contract] : [])] },
      );
    }

    this.outputs = pulumi
      .all([web.deployment.id, web.url, namespace, snapshot?.arn, snapshot?.createdAt])
      .apply(([, url, known, arn, createdAt]) => ({
        releaseId,
        // A snapshot that somebody has deleted can't be restored, so it is left out.
        snapshot: snapshot && arn && createdAt ? { id: snapshot.identifier, arn, createdAt } : null,
        migrations: {
          last: history.migrations.at(-1)?.name ?? null,
          count: history.migrations.length,
          fingerprint: history.fingerprint,
        },
        image: app.image,
        namespace: known,
        service: app.name,
        url,
        restore: snapshot && arn ? restoreCommand(settings, snapshot.identifier) : null,
      }));
    this.sizes = tables?.sizes ?? web.deployment.id.apply(() => null);
    this.registerOutputs({ outputs: this.outputs, sizes: this.sizes });
  }
}
