import type { types } from "@pulumi/kubernetes";
import { CLAIM_FOLDER, NODE_FLAGS } from "../backup/pod-folder";
import { MIGRATOR_CONTAINER, MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import { jobPodMetadata } from "./job-pod-metadata";
import type { MigratorJobManifest } from "./migrator-job-manifest";
import { withPodFragment } from "./pod-fragment";
import { CONTAINER_SECURITY, labels, podIdentity } from "./pods";

/** The name of the program's file in the pod, and in the ConfigMap that it comes from. */
export const PRUNE_PROGRAM = "prune.cjs";

/** What decides the manifest of a Job that removes old dumps or branches. */
export interface PruneJobManifestArgs {
  /** The Job's name in its namespace. */
  name: string;
  namespace: string;
  app: string;
  /** The value of the label `app.kubernetes.io/component`. */
  component: string;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  /** The variables with the credentials of the store, by references to Secrets. */
  env: types.input.core.v1.EnvVar[];
  /** The PersistentVolumeClaim on which dumps are. Default: they are elsewhere. */
  claim?: string | undefined;
  /** The arguments of the program. */
  arguments: readonly string[];
  /** The name of the ConfigMap with the program. */
  file: string;
  /** The time after which Kubernetes ends the Job. */
  deadline: Duration;
}

/**
 * Returns the manifest of a Job that removes old dumps or branches. Its pod has no connection to the
 * database, which it doesn't need.
 */
export function pruneJobManifest(args: PruneJobManifestArgs): MigratorJobManifest {
  const { name, namespace, app, component, settings, env, deadline } = args;
  const claim = args.claim === undefined ? [] : [{ name: "dump-claim", claimName: args.claim }];
  const container = {
    name: MIGRATOR_CONTAINER,
    image: settings.image,
    command: ["node", ...NODE_FLAGS, `${MIGRATOR_FOLDER}/${PRUNE_PROGRAM}`],
    args: [...args.arguments],
    env,
    resources: settings.resources,
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
    volumeMounts: [
      { name: "release", mountPath: MIGRATOR_FOLDER, readOnly: true },
      ...claim.map((each) => ({ name: each.name, mountPath: CLAIM_FOLDER })),
    ],
  };
  const pod = {
    restartPolicy: "Never",
    ...podIdentity({ ...settings, fsGroup: settings.runAsUser }),
    automountServiceAccountToken: false,
    containers: [container],
    volumes: [
      { name: "release", projected: { sources: [{ configMap: { name: args.file } }] } },
      ...claim.map((each) => ({ name: each.name, persistentVolumeClaim: { claimName: each.claimName } })),
    ],
  };
  const metadata = jobPodMetadata(labels(app, component), undefined, settings.mesh);
  return {
    metadata: { name, namespace, labels: labels(app, component) },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: deadline.seconds,
      template: withPodFragment({ metadata, spec: pod }, settings.pod),
    },
  };
}
