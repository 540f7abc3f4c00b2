import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { SCRATCH_FOLDER, SCRATCH_VARIABLE } from "../backup/parallel";
import { CLAIM_FOLDER, FOLDER_VARIABLE, NODE_FLAGS, POD_FOLDER, PREPARE_SCRIPT } from "../backup/pod-folder";
import { MIGRATOR_CONTAINER, MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import { type DatabaseSource, databaseEnvironment } from "./database-environment";
import { jobPodMetadata } from "./job-pod-metadata";
import { RELEASE_ID } from "./migrator-job-manifest";
import { CONTAINER_SECURITY, labels, podIdentity } from "./pods";

/** The time to give up an upload and remove what was stored of it, in seconds. */
const TERMINATION_GRACE_SECONDS = 30;

/** The settings of a backup whose mode is "dump". */
export type DumpSettings = Settings["backup"] & { dump: NonNullable<Settings["backup"]["dump"]> };

/** What decides a pod that works on a dump. */
export interface DumpPodArgs {
  app: string;
  /** The value of the label `app.kubernetes.io/component`, such as `dump`. */
  component: string;
  /** The release that the pod belongs to. Default: none, for a Job that is run by hand. */
  releaseId?: string | undefined;
  database: DatabaseSource;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  backup: DumpSettings;
  /** The file that starts the program in the container of Node.js, and its arguments. */
  program: string;
  arguments: readonly pulumi.Input<string>[];
  /** The names of the ConfigMaps with the program. */
  files: readonly string[];
  /**
   * The name and the script of the container of Postgres' clients, and whether it works on a folder of files, for which
   * it gets a disk. Default: there is no such container.
   */
  client?: { name: string; script: string; parallel: boolean } | undefined;
  /** Further variables of the program. */
  env?: types.input.core.v1.EnvVar[];
  /** Secrets that the program finds as files. */
  volumes?: readonly { name: string; secretName: string; mountPath: string }[];
}

/**
 * Returns the template of a pod that works on a dump. It has a container of Node.js and, if there is a script for it, one
 * of `pg_dump` and `pg_restore`, because stock images of Postgres have no Node.js, and those of Node.js no `pg_dump`.
 * They share a folder in memory.
 */
export function dumpPod(args: DumpPodArgs): types.input.core.v1.PodTemplateSpec {
  const { app, component, releaseId, database, settings, backup, files, env = [], volumes = [] } = args;
  const { dump } = backup;
  const connection = databaseEnvironment(database, "migration");
  const scratch = args.client?.parallel ? scratchOf(dump) : undefined;
  const shared = { name: "dump-shared", mountPath: POD_FOLDER };
  const client = {
    image: backup.image ?? "",
    env: [{ name: FOLDER_VARIABLE, value: POD_FOLDER }, ...(scratch?.env ?? [])],
    resources: settings.resources,
    securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
    volumeMounts: [shared, ...(scratch?.volumeMounts ?? [])],
  };
  return {
    metadata: jobPodMetadata(labels(app, component), releaseId, settings.mesh),
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
      // The volume of a claim mostly belongs to root; the group may then write to it.
      ...podIdentity({ ...settings, fsGroup: settings.runAsUser }),
      automountServiceAccountToken: false,
      ...(args.client
        ? {
            initContainers: [
              { name: "prepare", command: ["sh", "-c", PREPARE_SCRIPT], ...client },
              // Both images are on the node before the containers start, so that neither waits long for the other.
              {
                ...client,
                name: "node",
                image: settings.image,
                command: ["node", "-e", "0"],
                env: [],
                volumeMounts: [],
              },
            ],
          }
        : {}),
      containers: [
        {
          name: MIGRATOR_CONTAINER,
          image: settings.image,
          command: ["node", ...NODE_FLAGS, `${MIGRATOR_FOLDER}/${args.program}`],
          args: [...args.arguments],
          env: [...connection.env, ...(releaseId === undefined ? [] : [RELEASE_ID]), ...storeCredentials(dump), ...env],
          resources: settings.resources,
          terminationMessagePolicy: "FallbackToLogsOnError",
          securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
          volumeMounts: [
            { name: "release", mountPath: MIGRATOR_FOLDER, readOnly: true },
            shared,
            ...(dump.claim === undefined ? [] : [{ name: "dump-claim", mountPath: CLAIM_FOLDER }]),
            ...connection.volumeMounts,
            ...volumes.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
          ],
        },
        ...(args.client ? [{ name: args.client.name, command: ["sh", "-c", args.client.script], ...client }] : []),
      ],
      volumes: [
        { name: "release", projected: { sources: files.map((each) => ({ configMap: { name: each } })) } },
        { name: "dump-shared", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
        ...(dump.claim === undefined ? [] : [{ name: "dump-claim", persistentVolumeClaim: { claimName: dump.claim } }]),
        ...(scratch?.volumes ?? []),
        ...connection.volumes,
        ...volumes.map(({ name, secretName }) => ({ name, secret: { secretName } })),
      ],
    },
  };
}

/** Returns the variables in which the AWS SDK finds an access key; none if the pod has an identity of its own. */
export function storeCredentials({ secret }: DumpSettings["dump"]): types.input.core.v1.EnvVar[] {
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
