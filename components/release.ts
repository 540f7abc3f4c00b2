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

/** Everything that one release is made of. The image, the migrations and the runner's settings decide its id. */
export interface ReleaseArgs {
  settings: Settings;
  /** Read and packed by the caller: components read no files. */
  history: PackedHistory;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** From {@link planBackup}; undefined where `backup.mode` is "none". */
  backup?: Backup | undefined;
  /** From `reviewGate`, shown at the migration Job; required where `review.refuse` names anything. */
  review?: Review | undefined;
  /** For the snapshot's tags. */
  tags?: Record<string, string>;
  /** Values that other resources of the program make. */
  provided?: ProvidedValues;
  /** Reads back what the Jobs reported; without it the sizes stay unknown, and no report is written. */
  reader?: ReportReader;
}

/**
 * Values that other resources of the same program make, in place of the settings of the same meaning; the release waits for
 * them. What decides the release id (`app.image`, the migrations, `migrations.*`) can't be among them: the id stands in the
 * names of resources, so that it must be known while the program runs.
 */
export interface ProvidedValues {
  /** In place of `namespace`. */
  namespace?: pulumi.Input<string>;
  /** Identifier of the database that the snapshot is taken of; `database.identifier` still names the snapshots. */
  databaseIdentifier?: pulumi.Input<string>;
  /** Name of the Kubernetes Secret, in place of `database.secret.name`. */
  databaseSecret?: pulumi.Input<string>;
  /** Variables of the app and of its workloads, beside and before those of the settings; not for secrets. */
  env?: Record<string, pulumi.Input<string>>;
}

/**
 * One release: preflight Job → snapshot → migration Job → app and every other workload → sizes of the tables →
 * smoke check → contract migrations → report. Each arrow is a `dependsOn`, so that whatever fails stops everything to its
 * right, and the app that was serving goes on serving.
 */
export class Release extends pulumi.ComponentResource {
  /** Short sha-256 of what decides the release. Unchanged inputs, unchanged id: nothing to do. */
  readonly releaseId: string;
  /** Known once the app is rolled out, never before. */
  readonly outputs: pulumi.Output<LiveRelease>;
  /** Of the tables after the migration; null where they are unknown. Known once the app is rolled out, and nothing else waits for it. */
  readonly sizes: pulumi.Output<Sizes | null>;

  /**
   * @throws {@link BackupMissing} when the settings ask for a backup, and none is given
   * @throws ReviewMissing when the settings refuse something, and no review of them and of this history is given
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
    // Before the smoke check: whether that fails or not, the outputs tell of the version that serves.
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

    // The command has applied everything by then; one that should have waited has ended the release before it began.
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

    // The very last step, so that nothing ever waits for it.
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
        // A snapshot that was deleted is no way back.
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
