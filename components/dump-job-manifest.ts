import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { parallelDumpScript, SCRATCH_FOLDER, SCRATCH_VARIABLE } from "../backup/parallel";
import {
  CLAIM_FOLDER,
  dumpScript,
  FOLDER_VARIABLE,
  NODE_FLAGS,
  POD_FOLDER,
  PREPARE_SCRIPT,
} from "../backup/pod-folder";
import { MIGRATOR_CONTAINER, MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import { type DatabaseSource, databaseEnvironment } from "./database-environment";
import { jobPodMetadata } from "./job-pod-metadata";
import { type MigratorJobManifest, RELEASE_ID } from "./migrator-job-manifest";
import { withPodFragment } from "./pod-fragment";
import { CONTAINER_SECURITY, labels, podIdentity } from "./pods";

/** The file that starts the storing program. */
const PROGRAM = `${MIGRATOR_FOLDER}/dump.cjs`;

/** The seconds that the program gets beyond its own time limit, to say that it took too long. */
const MARGIN_SECONDS = 120;

/** The time to give up an upload and remove what was stored of it, in seconds. */
const TERMINATION_GRACE_SECONDS = 30;

/** The settings of a backup whose mode is "dump". */
export type DumpSettings = Settings["backup"] & { dump: NonNullable<Settings["backup"]["dump"]> };

/** Returns the time after which Kubernetes ends the Job, if the storing program hasn't ended it before. */
export function dumpDeadline({ timeout }: DumpSettings): Duration {
  return timeout.plus(MARGIN_SECONDS);
}

/** What decides the manifest of a dump's Job. */
export interface DumpJobManifestArgs {
  /** The Job's name in its namespace. */
  name: string;
  namespace: pulumi.Input<string>;
  app: string;
  releaseId: string;
  database: DatabaseSource;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  backup: DumpSettings;
  /** The arguments of the storing program. */
  arguments: readonly pulumi.Input<string>[];
  /** The names of the ConfigMaps with the storing program. */
  files: readonly string[];
}

/**
 * Returns the manifest of the Job that takes a dump. Its pod has two containers, because stock images of Postgres have
 * no Node.js, and those of Node.js have no `pg_dump`: one runs `pg_dump`, the other encrypts and stores what it makes.
 * They share a folder in memory; the database's password is in it only until the dump has begun.
 */
export function dumpJobManifest(args: DumpJobManifestArgs): MigratorJobManifest {
  const { name, namespace, app, settings, backup } = args;
  return {
    metadata: { name, namespace, labels: labels(app, "dump") },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: dumpDeadline(backup).seconds,
      template: withPodFragment(podTemplate(args), settings.pod),
    },
  };
}

function podTemplate(args: DumpJobManifestArgs): types.input.core.v1.PodTemplateSpec {
  const { app, releaseId, database, settings, backup, files } = args;
  const { dump } = backup;
  const connection = databaseEnvironment(database, "migration");
  const shared = { name: "dump-shared", mountPath: POD_FOLDER };
  const scratch = dump.jobs > 1 ? scratchOf(dump) : undefined;
  const { lockTimeout, jobs } = dump;
  const script = scratch ? parallelDumpScript(lockTimeout.seconds, jobs) : dumpScript(lockTimeout.seconds);
  const client = {
    image: backup.image ?? "",
    env: [{ name: FOLDER_VARIABLE, value: POD_FOLDER }, ...(scratch?.env ?? [])],
    resources: settings.resources,
    securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
    volumeMounts: [shared, ...(scratch?.volumeMounts ?? [])],
  };
  return {
    metadata: jobPodMetadata(labels(app, "dump"), releaseId, settings.mesh),
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
      // The volume of a claim mostly belongs to root; the group may then write to it.
      ...podIdentity({ ...settings, fsGroup: settings.runAsUser }),
      automountServiceAccountToken: false,
      initContainers: [
        { name: "prepare", command: ["sh", "-c", PREPARE_SCRIPT], ...client },
        // Both images are on the node before the containers start, so that neither waits long for the other.
        { ...client, name: "node", image: settings.image, command: ["node", "-e", "0"], env: [], volumeMounts: [] },
      ],
      containers: [
        {
          name: MIGRATOR_CONTAINER,
          image: settings.image,
          command: ["node", ...NODE_FLAGS, PROGRAM],
          args: [...args.arguments],
          env: [...connection.env, RELEASE_ID, ...storeCredentials(dump)],
          resources: settings.resources,
          terminationMessagePolicy: "FallbackToLogsOnError",
          securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
          volumeMounts: [
            { name: "release", mountPath: MIGRATOR_FOLDER, readOnly: true },
            shared,
            ...(dump.claim === undefined ? [] : [{ name: "dump-claim", mountPath: CLAIM_FOLDER }]),
            ...connection.volumeMounts,
          ],
        },
        { name: "pg-dump", command: ["sh", "-c", script], ...client },
      ],
      volumes: [
        { name: "release", projected: { sources: files.map((each) => ({ configMap: { name: each } })) } },
        { name: "dump-shared", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
        ...(dump.claim === undefined ? [] : [{ name: "dump-claim", persistentVolumeClaim: { claimName: dump.claim } }]),
        ...(scratch?.volumes ?? []),
        ...connection.volumes,
      ],
    },
  };
}

/** Returns the disk on which a parallel dump is made: that of the node, or a volume that lives as long as the pod. */
function scratchOf({ scratch }: Pick<DumpSettings["dump"], "scratch">) {
  const { size, storageClass } = scratch;
  const claim = {
    accessModes: ["ReadWriteOnce"],
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    resources: { requests: { storage: size ?? "" } },
  };
  const volume =
    storageClass === undefined
      ? { emptyDir: size === undefined ? {} : { sizeLimit: size } }
      : { ephemeral: { volumeClaimTemplate: { spec: claim } } };
  return {
    env: [{ name: SCRATCH_VARIABLE, value: SCRATCH_FOLDER }],
    volumeMounts: [{ name: "dump-scratch", mountPath: SCRATCH_FOLDER }],
    volumes: [{ name: "dump-scratch", ...volume }],
  };
}

/** Returns the variables in which the AWS SDK finds an access key; none if the pod has an identity of its own. */
function storeCredentials({ secret }: DumpSettings["dump"]): types.input.core.v1.EnvVar[] {
  if (secret === undefined) return [];
  const variable = (name: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret.name, key } },
  });
  return [
    variable("AWS_ACCESS_KEY_ID", secret.accessKeyIdKey),
    variable("AWS_SECRET_ACCESS_KEY", secret.secretAccessKeyKey),
  ];
}
