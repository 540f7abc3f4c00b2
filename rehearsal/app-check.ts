import { randomBytes } from "node:crypto";
import { COMPONENT, KEPT_SECONDS, ownLabels } from "../by-hand/job-by-hand";
import { runJobObjects } from "../by-hand/run-job";
import type { CommandStack } from "../by-hand/stack";
import { databaseEnvironment } from "../components/database-environment";
import { jobPodMetadata } from "../components/job-pod-metadata";
import { CONTAINER_SECURITY, labels, podIdentity } from "../components/pods";
import { MIGRATOR_CONTAINER, WRITABLE_FOLDER } from "../settings/pod/migration-pod";
import { RehearsalFailed } from "./failure";
import type { MigrateArgs } from "./migrate";
import { SUBJECT } from "./stack";

/** The value of the label that names what the Job does. */
const VERB = "rehearsal-command";

/**
 * Runs the app's own check on the migrated copy, as a Job in the app's image. Of the app's environment it gets the
 * connection alone, and that leads to the copy.
 * @param command the setting `rehearsal.command`
 * @param seconds the longest time of the Job
 * @throws RehearsalFailed if it ends with another status than 0
 */
export async function checkByApp(
  { kubectl, stack, copy, stop, say }: MigrateArgs,
  command: readonly string[],
  seconds: number,
): Promise<void> {
  const name = `${stack.settings.app.name}-rehearsal-${randomBytes(3).toString("hex")}`;
  const run = { name, job: checkJob(stack, name, { command, seconds }), maps: [], whenStopped: "the check is ended" };
  say(`Job ${name}: rehearsal.command on ${copy.name}`);
  const status = await runJobObjects(kubectl, run, stop, { log: (line) => say(`  ${line}`), say });
  if (status !== 0) throw new RehearsalFailed(`rehearsal.command ended with ${status} on the migrated copy.`);
}

function checkJob(
  { settings: { app, namespace, database, migrations } }: CommandStack,
  name: string,
  { command, seconds }: { command: readonly string[]; seconds: number },
): object {
  const connection = databaseEnvironment({ settings: database }, "app");
  const folders = ["HOME", "TMPDIR"].map((variable) => ({ name: variable, value: WRITABLE_FOLDER }));
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels: { ...labels(app.name, COMPONENT), ...ownLabels(VERB, SUBJECT) } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: seconds,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: jobPodMetadata(labels(app.name, COMPONENT), undefined, migrations.mesh),
        spec: {
          restartPolicy: "Never",
          ...podIdentity(app),
          automountServiceAccountToken: false,
          containers: [
            {
              name: MIGRATOR_CONTAINER,
              image: app.image,
              command: [...command],
              env: [...folders, ...connection.env],
              resources: app.resources,
              securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: true },
              volumeMounts: [{ name: "writable", mountPath: WRITABLE_FOLDER }, ...connection.volumeMounts],
            },
          ],
          volumes: [{ name: "writable", emptyDir: {} }, ...connection.volumes],
        },
      },
    },
  };
}
