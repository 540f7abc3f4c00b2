import { posix } from "node:path";
import { connectionVariables, DEFAULT_VARIABLE } from "../database-access";
import type { Problem } from "../rule";
import type { Settings } from "../schema";
import { containerProblems, containersOf } from "./containers";
import type { Group } from "./fields";
import { nodesOf, ownFields } from "./own-fields";
import { connectionFiles, fields, SHARED, variables } from "./shared-fields";

/** The name of the migrator's container in each of its Jobs. */
export const MIGRATOR_CONTAINER = "migrator";

/** The folder of the Jobs' pods that contains the migrator and the migrations. */
export const MIGRATOR_FOLDER = "/release";

/**
 * The one writable folder of a pod that runs the app's own command. npm and the Prisma CLI write caches and logs; the
 * image's own files stay read-only.
 */
export const WRITABLE_FOLDER = "/tmp";

const CONTAINER = `spec.containers[${MIGRATOR_CONTAINER}]`;
const USER = "left out: set migrations.runAsUser";

const OWN: Readonly<Record<string, string>> = {
  ...SHARED,
  "spec.restartPolicy": "left out: a failed migration is not started again by itself",
  "spec.activeDeadlineSeconds": "left out: set migrations.deadline",
  "spec.terminationGracePeriodSeconds": "left out: the migrator rolls back within its own 30 s",
  ...fields("spec", ["serviceAccountName", "serviceAccount"], "left out: set migrations.serviceAccount"),
  ...fields("spec.securityContext", ["runAsUser", "runAsGroup"], USER),
  ...fields(`${CONTAINER}.securityContext`, ["runAsUser", "runAsGroup"], USER),
  [`${CONTAINER}.image`]: "left out: set migrations.image",
  ...fields(CONTAINER, ["command", "args"], "left out: the release decides what the migrator does"),
  [`${CONTAINER}.resources`]: "left out: set migrations.resources",
  ...fields(
    CONTAINER,
    ["terminationMessagePath", "terminationMessagePolicy"],
    "left out: `up` shows the migrator's last lines by it",
  ),
  ...fields(
    CONTAINER,
    ["startupProbe", "readinessProbe", "livenessProbe"],
    "left out: a probe would end a migration that waits for a lock",
  ),
  [`${CONTAINER}.lifecycle`]: "left out: the migrator itself rolls back when its pod is stopped",
  ...fields(
    CONTAINER,
    ["restartPolicy", "restartPolicyRules"],
    "left out: a failed migration is not started again by itself",
  ),
  ...variables(CONTAINER, ["RELEASE_ID"], "left out: it is the id of the release"),
};

/**
 * Finds what `migrations.pod` must not set, because the migration relies on it or because it is a setting of its own.
 *
 * @param urlVariables The variables that the app's own command gets from `database.secret`.
 */
export function migrationPodProblems(
  { migrations, database }: Pick<Settings, "migrations" | "database">,
  urlVariables: readonly string[],
): Problem[] {
  const { pod } = migrations;
  if (pod === undefined) return [];
  const command = migrations.runner === "command";
  const own = {
    ...OWN,
    ...connectionFiles(CONTAINER, database),
    ...variables(
      CONTAINER,
      [DEFAULT_VARIABLE, ...connectionVariables(database, "migration")],
      "left out: it is set from the settings in database",
    ),
    ...(command && {
      [`${CONTAINER}.image`]: "left out: the migration runs in app.image",
      ...variables(CONTAINER, Object.keys(migrations.env ?? {}), "left out: migrations.env sets it already"),
      ...variables(CONTAINER, ["HOME", "TMPDIR"], `left out: only ${WRITABLE_FOLDER} is writable`),
      ...variables(
        CONTAINER,
        [...urlVariables, database.env ?? DEFAULT_VARIABLE],
        "left out: it is set from the settings in database",
      ),
    }),
  };
  return [
    ...ownFields(pod, own),
    ...containerProblems(pod, MIGRATOR_CONTAINER, command ? ["writable"] : []).filter(
      // addedContainers refuses the whole container already.
      ({ path: [, list, , field] }) => list !== "containers" || field !== "image",
    ),
    ...addedContainers(pod),
    ...hidingMounts(pod, command),
  ].map(({ path, allowed }) => ({ path: ["migrations", "pod", ...path], allowed }));
}

/** A Job ends when each of its containers has ended, so a sidecar among them would keep it from ending. */
function addedContainers(pod: Group): Problem[] {
  return containersOf(pod)
    .filter(({ list, name }) => list === "containers" && name !== MIGRATOR_CONTAINER)
    .map(({ path }) => ({
      path: [...path, "name"],
      allowed: `"${MIGRATOR_CONTAINER}"; a container beside it would keep the Job from ending, so put a sidecar into spec.initContainers with restartPolicy: Always`,
    }));
}

/** Finds mounts that would take the place of the migrator's files. */
function hidingMounts(pod: Group, command: boolean): Problem[] {
  const own = [MIGRATOR_FOLDER, ...(command ? [WRITABLE_FOLDER] : [])];
  return nodesOf(pod).flatMap(({ name, path, value }) => {
    if (!name.startsWith(`${CONTAINER}.volumeMounts[`) || !name.endsWith("].mountPath")) return [];
    const folder = posix.resolve("/", String(value));
    const hides = folder === "/" || own.includes(folder) || folder.startsWith(`${MIGRATOR_FOLDER}/`);
    return hides ? [{ path, allowed: `a path outside of ${own.join(" and ")}, which the migrator needs` }] : [];
  });
}
