import * as pulumi from "@pulumi/pulumi";
import type { Sizes } from "../text/table-size";
import { AfterRollout } from "./after-rollout";
import { App } from "./app";
import { dependencies } from "./child";
import {
  DatabaseMigration,
  type DatabaseMigrationArgs,
  type ProvidedDatabase,
  requireInputs,
} from "./database-migration";
import { DriftCheck } from "./drift-check";
import type { LiveRollout } from "./live-rollout";
import type { LiveRelease } from "./release-outputs";
import { SchemaGateFiles, schemaGateOf } from "./schema-gate";
import { Workload } from "./workloads";

/** The arguments of a release. The image, the migrations and the settings of the migrator decide its id. */
export interface ReleaseArgs extends DatabaseMigrationArgs {
  /** Values that other resources of the program make. */
  provided?: ProvidedValues;
  /**
   * The result of `rolloutGate`. With it the rollout takes back what others changed of its objects, and keeps the pods
   * that they added. Without it such a change ends the release after the migration, as a field conflict.
   */
  rollout?: LiveRollout | undefined;
  /** The program of `app.schemaGate`, as one CommonJS file. It is required if that is true. */
  schemaGate?: string | undefined;
}

/** Values that come from other resources of the same program. The release waits for them. */
export interface ProvidedValues extends ProvidedDatabase {
  /**
   * Environment variables of the app and of its workloads. They are added to those of the settings and replace those of
   * the same name. They must not contain secrets.
   */
  env?: Record<string, pulumi.Input<string>>;
}

/**
 * One release runs these steps: preflight Job → backup → rehearsal on a copy, if the settings want it → migration Job →
 * app and every other workload → sizes of the tables → smoke check → contract migrations → report. Each arrow is a
 * `dependsOn`, so a step that fails stops all steps to its right, and the app that was serving goes on serving.
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
   * The time at which the Job began that applied these migrations (ISO 8601); null if it is unknown. It is known once
   * the app is rolled out.
   */
  readonly migrationBegan: pulumi.Output<string | null>;

  /** @throws the errors of {@link requireInputs}, and SchemaGateMissing */
  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    requireInputs(args);
    const gate = schemaGateOf(args.settings, args.history, args.schemaGate);
    super("release:index:Release", name, {}, opts);
    const { settings, provided = {} } = args;

    // preflight Job → backup → rehearsal → migration Job
    const migration = new DatabaseMigration(name, args, { parent: this, dependsOn: dependencies(opts) });
    const { releaseId, namespace, jobs, wayBack } = migration;

    // app and every other workload
    const { app } = settings;
    const files =
      gate && new SchemaGateFiles(`${name}-schema-gate`, { app: app.name, namespace, gate }, { parent: this });
    const afterMigration = { parent: this, dependsOn: [migration, ...(files ? [files] : [])] };
    const live = args.rollout;
    const shared = { namespace, releaseId, database: jobs.database, provided: provided.env ?? {}, live, gate, wayBack };
    const { service, policy } = settings;
    const { reader } = args;
    const web = new App(name, { ...shared, settings: app, service, protect: policy.protect, reader }, afterMigration);
    const workloads = settings.workloads.map(
      (each) => new Workload(`${name}-${each.name}`, { ...shared, app, settings: each }, afterMigration),
    );

    // the search for changes by hand, on a schedule
    if (settings.drift.schedule !== undefined)
      new DriftCheck(
        `${name}-drift`,
        { settings, namespace, database: jobs.database, files: jobs.files, live },
        afterMigration,
      );

    // sizes of the tables → smoke check → contract migrations → report
    const rolledOut = pulumi.all([web.deployment.id, ...workloads.map(({ id }) => id)]);
    const { outputs, sizes, migrationBegan } = new AfterRollout(
      name,
      { migration, rolledOut, url: web.url },
      { parent: this, dependsOn: [web, ...workloads] },
    );

    this.releaseId = releaseId;
    this.outputs = outputs;
    this.sizes = sizes;
    this.migrationBegan = migrationBegan;
    this.registerOutputs({ outputs, sizes, migrationBegan });
  }
}
