import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { MigrationFiles } from "./migration-files";
import { CONTAINER_SECURITY, labels, podSecurity, RELEASE_ANNOTATION, secretVariable } from "./pods";
import type { Settings } from "./settings";
import type { DatabaseSnapshot } from "./snapshot";

export interface MigrationJobArgs {
  app: string;
  namespace: string;
  releaseId: string;
  database: Settings["database"];
  settings: Settings["migrations"];
  /** None where the environment allows a release without a backup. */
  snapshot?: DatabaseSnapshot;
  /** The Job refuses to migrate on a snapshot older than this. */
  snapshotMaxAge: Settings["backup"]["maxAge"];
  migrator: string;
  payload: Buffer[];
}

const FOLDER = "/release";

/** Added to the Job's own deadline, so that its pod's last words arrive before Pulumi stops waiting. */
const AWAIT_MARGIN_SECONDS = 120;

/** Longer than the migrator needs to cancel its statement, roll back and say so. */
const TERMINATION_GRACE_SECONDS = 30;

/**
 * The migration, as a Kubernetes Job that runs once. Its name carries the release id, so that every release has a Job of
 * its own; a failed one is replaced, and thereby run again, by the next plain `up`.
 */
export class MigrationJob extends pulumi.ComponentResource {
  readonly job: Job;

  constructor(name: string, args: MigrationJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:MigrationJob", name, {}, opts);
    const { app, namespace, releaseId, database, settings, snapshot, migrator, payload } = args;

    const files = new MigrationFiles(name, { app, namespace, migrator, payload }, { parent: this });

    const jobName = `${app}-migrate-${releaseId}`;
    this.job = new Job(
      jobName,
      {
        metadata: { name: jobName, namespace, labels: labels(app, "migration") },
        spec: {
          // One try: what a failed migration left behind is looked at before it runs again. No podFailurePolicy and no
          // TTL: Pulumi recognises neither the first's failures nor a collected Job (facts.md).
          backoffLimit: 0,
          activeDeadlineSeconds: settings.deadline.seconds,
          template: {
            metadata: { labels: labels(app, "migration"), annotations: { [RELEASE_ANNOTATION]: releaseId } },
            spec: {
              restartPolicy: "Never",
              terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
              securityContext: podSecurity(settings.user),
              automountServiceAccountToken: false,
              ...(settings.serviceAccount ? { serviceAccountName: settings.serviceAccount } : {}),
              containers: [
                {
                  name: "migrate",
                  image: settings.image,
                  command: ["node", `${FOLDER}/migrator.cjs`],
                  args: migratorArguments(args),
                  env: [
                    secretVariable("DATABASE_URL", database.secret.name, database.secret.migrationKey),
                    { name: "RELEASE_ID", value: releaseId },
                  ],
                  resources: settings.resources,
                  // The tail of the log becomes the error that `pulumi up` shows: no secret is ever in it.
                  terminationMessagePolicy: "FallbackToLogsOnError",
                  securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
                  volumeMounts: [{ name: "release", mountPath: FOLDER, readOnly: true }],
                },
              ],
              volumes: [
                { name: "release", projected: { sources: files.names.map((each) => ({ configMap: { name: each } })) } },
              ],
            },
          },
        },
      },
      {
        parent: this,
        dependsOn: [files, ...(snapshot ? [snapshot] : [])],
        replaceOnChanges: ["*"],
        deleteBeforeReplace: true,
        customTimeouts: { create: settings.deadline.plus(AWAIT_MARGIN_SECONDS).text },
      },
    );
    this.registerOutputs({});
  }
}

function migratorArguments({ settings, snapshot, snapshotMaxAge }: MigrationJobArgs): pulumi.Input<string>[] {
  const gate = snapshot
    ? [
        ["--snapshot", snapshot.identifier],
        ["--snapshot-created-at", snapshot.createdAt],
        ["--snapshot-max-age", snapshotMaxAge.text],
      ]
    : [];
  return [
    ["deploy"],
    ["--payload", FOLDER],
    ["--lock-timeout", settings.lockTimeout.text],
    ["--statement-timeout", settings.statementTimeout.text],
    ...gate,
  ].flat();
}
