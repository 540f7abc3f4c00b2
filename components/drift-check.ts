import { CronJob } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseSettings, Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import { childOf } from "./child";
import type { DatabaseSource } from "./database-environment";
import { literal } from "./literal";
import { asApplied, type LiveRollout } from "./live-rollout";
import type { MigrationFiles } from "./migration-files";
import { commonArguments, ignoreArguments } from "./migrator-arguments";
import { migratorJobManifest } from "./migrator-job-manifest";
import { labels } from "./pods";

/** What decides the CronJob that looks for drift. */
export interface DriftCheckArgs {
  settings: Pick<Settings, "app" | "migrations" | "drift">;
  namespace: pulumi.Input<string>;
  /** The database, with the connection of the migration. `drift.secret` names another one. */
  database: DatabaseSource;
  /** The ConfigMaps with the migrator and the SQL. */
  files: Pick<MigrationFiles, "names">;
  /** What the rollout gate found in the cluster. Default: it was not asked. */
  live?: LiveRollout | undefined;
}

const COMPONENT = "drift";

/** The time after its schedule within which a run may still begin, in seconds, if the cluster could not begin it then. */
const LATE_SECONDS = 3600;

/** A CronJob that compares the live database with its history. Its Job fails if something differs. */
export class DriftCheck extends pulumi.ComponentResource {
  constructor(name: string, args: DriftCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:DriftCheck", name, {}, opts);
    const manifest = driftCheckManifest({ ...args, stack: pulumi.getStack() });
    new CronJob(name, asApplied(manifest, args.live), childOf(this, opts));
    this.registerOutputs({});
  }
}

/** Returns the manifest of the CronJob. The pod has no credentials of the cluster. */
function driftCheckManifest({
  settings: { app, migrations, drift },
  ...args
}: DriftCheckArgs & { readonly stack: string }) {
  const { stack, namespace, database, files } = args;
  const name = `${app.name}-drift`;
  const { spec } = migratorJobManifest({
    ...{ name, namespace, app: app.name, component: COMPONENT },
    // Only the connection of the migration may need its service account, for IAM or the CSI driver.
    settings: drift.secret ? { ...migrations, serviceAccount: undefined } : migrations,
    database: drift.secret ? { settings: ownConnection(database.settings, drift.secret) } : database,
    arguments: [
      "drift",
      ...commonArguments(stack, migrations),
      ...ignoreArguments(drift),
      ...["--rerun", literal(`${commandLine("ops")} drift --stack ${shellWord(stack)}`)],
    ],
    files: files.names,
    deadline: drift.deadline,
  });
  return {
    apiVersion: "batch/v1" as const,
    kind: "CronJob" as const,
    metadata: { name, namespace, labels: labels(app.name, COMPONENT) },
    spec: {
      schedule: drift.schedule ?? "",
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: LATE_SECONDS,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      // The Job has one try, because its failure is what it found.
      jobTemplate: { metadata: { labels: labels(app.name, COMPONENT) }, spec },
    },
  };
}

/** Returns the database's settings with a connection that is a URL in a Secret, which has the password in it. */
function ownConnection(
  database: DatabaseSettings,
  { name, key }: NonNullable<Settings["drift"]["secret"]>,
): DatabaseSettings {
  return {
    ...database,
    auth: "password",
    file: undefined,
    secret: { name, migrationKey: key },
    migration: { secret: {}, file: {} },
  };
}
