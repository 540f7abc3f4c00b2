import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { MIGRATOR_CONTAINER, MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import type { CommandContainer } from "./command-container";
import { connectionArguments, type DatabaseSource, databaseEnvironment } from "./database-environment";
import { jobPodMetadata } from "./job-pod-metadata";
import { withPodFragment } from "./pod-fragment";
import { CONTAINER_SECURITY, labels, podIdentity, RELEASE_ANNOTATION } from "./pods";

/** The file that starts the migrator. */
export const MIGRATOR = `${MIGRATOR_FOLDER}/migrator.cjs`;

/** The time that the migrator gets to cancel its statement, roll back and report that, in seconds. */
const TERMINATION_GRACE_SECONDS = 30;

/** The variable with the release's id, in a Job that later releases keep. */
export const RELEASE_ID: types.input.core.v1.EnvVar = {
  name: "RELEASE_ID",
  valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${RELEASE_ANNOTATION}']` } },
};

/** What decides the manifest of a Job that runs the migrator. */
export interface MigratorJobManifestArgs {
  /** The Job's name in its namespace. */
  name: string;
  namespace: pulumi.Input<string>;
  app: string;
  /** The value of the label `app.kubernetes.io/component`, such as `migrate`. */
  component: string;
  /** The release that the Job belongs to. Default: none, for a Job that is run by hand. */
  releaseId?: string | undefined;
  database: DatabaseSource;
  settings: Settings["migrations"];
  /** The arguments of the migrator: its verb, then the verb's options. */
  arguments: readonly pulumi.Input<string>[];
  /** The names of the ConfigMaps with the migrator and the SQL. */
  files: readonly string[];
  /** The time after which Kubernetes ends the Job. */
  deadline: Duration;
  /**
   * Whether later releases keep the Job as it is. Its container then gets the release's id by an annotation of the pod,
   * whose change is ignored. Default: every release has a Job of its own.
   */
  outlivesRelease?: boolean;
  /** What differs if another program runs than the migrator in its own image. Default: nothing. */
  own?: CommandContainer | undefined;
}

/** A Job as the program declares it. */
export interface MigratorJobManifest {
  metadata: types.input.meta.v1.ObjectMeta;
  spec: types.input.batch.v1.JobSpec;
}

/**
 * Returns the manifest of a Job that runs the migrator once. It is a pure function: the steps of a release and the
 * commands that are run by hand in the cluster get the same pod.
 */
export function migratorJobManifest(args: MigratorJobManifestArgs): MigratorJobManifest {
  const { name, namespace, app, component, settings, deadline } = args;
  return {
    metadata: { name, namespace, labels: labels(app, component) },
    spec: {
      // The Job has one try, because a person must see what a failed migration left behind before it runs again. It
      // has neither a podFailurePolicy nor a TTL, because Pulumi (pulumi-kubernetes 4.34, provider/pkg/await/job.go)
      // recognises neither a failure by that policy nor a Job that the TTL has deleted.
      backoffLimit: 0,
      activeDeadlineSeconds: deadline.seconds,
      template: withPodFragment(podTemplate(args), settings.pod),
    },
  };
}

function podTemplate({
  app,
  component,
  releaseId,
  database,
  settings,
  files,
  own,
  outlivesRelease = false,
  ...args
}: MigratorJobManifestArgs): types.input.core.v1.PodTemplateSpec {
  const connection = databaseEnvironment(database, "migration");
  return {
    metadata: jobPodMetadata(labels(app, component), releaseId, settings.mesh),
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
      ...podIdentity(settings),
      automountServiceAccountToken: false,
      containers: [
        {
          name: MIGRATOR_CONTAINER,
          image: own?.image ?? settings.image,
          command: own?.command ?? ["node", MIGRATOR],
          args: [...args.arguments, ...connectionArguments(database), ...(own?.args ?? [])],
          env: [
            ...(own?.env ?? []),
            ...connection.env,
            ...(releaseId === undefined
              ? []
              : [outlivesRelease ? RELEASE_ID : { name: "RELEASE_ID", value: releaseId }]),
          ],
          resources: settings.resources,
          // `pulumi up` shows the end of the log as the error. The log never contains a secret.
          terminationMessagePolicy: "FallbackToLogsOnError",
          securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
          volumeMounts: [
            { name: "release", mountPath: MIGRATOR_FOLDER, readOnly: true },
            ...connection.volumeMounts,
            ...(own?.volumeMounts ?? []),
          ],
        },
      ],
      volumes: [
        { name: "release", projected: { sources: files.map((each) => ({ configMap: { name: each } })) } },
        ...connection.volumes,
        ...(own?.volumes ?? []),
      ],
    },
  };
}
