import { createHash } from "node:crypto";
import type { types } from "@pulumi/kubernetes";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { awaitedMigrations } from "../migrations/history/awaited";
import type { PackedHistory } from "../review/packed-history";
import { DEFAULT_VARIABLE } from "../settings/database-access";
import { SCHEMA_GATE } from "../settings/pod/shared-fields";
import type { Settings } from "../settings/schema";
import {
  connectionArguments,
  type DatabaseSource,
  databaseEnvironment,
  withDatabaseFiles,
} from "./database-environment";
import { literal } from "./literal";
import { CONTAINER_SECURITY, labels } from "./pods";
import { ReleaseError } from "./release-error";

/** This error reports a program that doesn't give the release what `app.schemaGate` needs. */
export class SchemaGateMissing extends ReleaseError {
  override readonly name = "SchemaGateMissing";

  constructor() {
    super(
      "The settings say app.schemaGate: true, but the program gives the release no schemaGate.\n" +
        "Nothing was touched: database and app are as they were.\n" +
        "Give Release the inputs that prepareRelease() returns, and run the same command again.",
    );
  }
}

/** The init container that lets a pod start only where the database has the migrations of its release. */
export interface SchemaGate {
  /** The program as one CommonJS file. */
  program: string;
  /** The name of the ConfigMap that contains the program. */
  configMap: string;
  image: string;
  /** The migrations that the database must have, oldest first. */
  migrations: readonly string[];
  /** How long one start of the container waits. */
  timeout: string;
}

/** The folder of the pod that contains the program. */
const FOLDER = "/schema-gate";
const FILE = "schema-gate.cjs";

/** The program needs 50 MiB. The app's own containers start after it, so a pod asks for no more than without it. */
const RESOURCES = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } };

/**
 * Returns the schema gate of a release, or undefined if the settings don't want one or there is nothing to wait for.
 *
 * @param program the program as one CommonJS file
 * @throws {@link SchemaGateMissing} when the settings want a gate and there is no program
 */
export function schemaGateOf(
  { app, migrations: { image } }: Pick<Settings, "app" | "migrations">,
  history: Pick<PackedHistory, "migrations">,
  program: string | undefined,
): SchemaGate | undefined {
  if (!app.schemaGate) return undefined;
  if (program === undefined) throw new SchemaGateMissing();
  const migrations = awaitedMigrations(history.migrations);
  if (migrations.length === 0) return undefined;
  const hash = createHash("sha256").update(program).digest("hex").slice(0, 10);
  const configMap = `${app.name}-schema-gate-${hash}`;
  return { program, configMap, image, migrations, timeout: app.startupTimeout.text };
}

/**
 * The ConfigMap that contains the program of the schema gate. It changes with the version of this project only: what a
 * pod waits for is in the pod's own template. It is kept when a newer one takes its place, because `kubectl rollout
 * undo` brings back pods that mount it.
 */
export class SchemaGateFiles extends pulumi.ComponentResource {
  constructor(
    name: string,
    { app, namespace, gate }: { app: string; namespace: pulumi.Input<string>; gate: SchemaGate },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("release:index:SchemaGateFiles", name, {}, opts);
    new ConfigMap(
      gate.configMap,
      {
        metadata: { name: gate.configMap, namespace, labels: labels(app, SCHEMA_GATE) },
        immutable: true,
        data: { [FILE]: gate.program },
      },
      { parent: this, retainOnDelete: true },
    );
    this.registerOutputs({});
  }
}

interface Pod {
  containers: types.input.core.v1.Container[];
  initContainers?: types.input.core.v1.Container[];
  volumes?: types.input.core.v1.Volume[];
}

/**
 * Returns the spec of a pod with what it needs for the database: the gate before its containers, and the files of the
 * connection in each of them.
 */
export function podSpec<P extends Pod>(gate: SchemaGate | undefined, database: DatabaseSource, pod: P): P {
  return withDatabaseFiles(database, gate ? withSchemaGate(gate, database, pod) : pod);
}

/** The gate connects as the app does, and only reads. */
function withSchemaGate<P extends Pod>(gate: SchemaGate, database: DatabaseSource, pod: P): P {
  const container: types.input.core.v1.Container = {
    name: SCHEMA_GATE,
    image: gate.image,
    command: ["node", `${FOLDER}/${FILE}`],
    args: [
      ...gate.migrations.flatMap((each) => ["--for", literal(each)]),
      ...["--wait-timeout", gate.timeout],
      ...connectionArguments(database),
    ],
    env: databaseEnvironment(database, "app", DEFAULT_VARIABLE).env,
    resources: RESOURCES,
    // `kubectl describe pod` shows the end of the log as the reason why the pod waits.
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
    volumeMounts: [{ name: SCHEMA_GATE, mountPath: FOLDER, readOnly: true }],
  };
  return {
    ...pod,
    initContainers: [container, ...(pod.initContainers ?? [])],
    volumes: [{ name: SCHEMA_GATE, configMap: { name: gate.configMap } }, ...(pod.volumes ?? [])],
  };
}
