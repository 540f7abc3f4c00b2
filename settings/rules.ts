import { adoptionRules } from "./adoption-rules";
import { backupRules } from "./backup-rules";
import { CA_VARIABLE, connectionVariables, DEFAULT_VARIABLE } from "./database-access";
import { databaseRules } from "./database-rules";
import { appPodProblems, workloadPodProblems } from "./pod/app-pod";
import { unpinnedContainers } from "./pod/containers";
import { migrationPodProblems } from "./pod/migration-pod";
import { proofRules } from "./proof-rules";
import { rehearsalRules } from "./rehearsal-rules";
import { problem, type Rule } from "./rule";
import { scalingRules } from "./scaling-rules";
import type { Settings } from "./schema";

/** The variables in which a Prisma schema may look for its connection string. The migrator sets all of them. */
export const URL_VARIABLES: readonly string[] = ["DATABASE_URL", "DIRECT_URL"];
const UNUSED = 'because migrations.runner is not "command"';
const PINNED = "an image pinned by its digest (…@sha256:…), because policy.pinnedImages is true";
const unpinned = ({ policy: { pinnedImages } }: Settings, reference = "@sha256:") =>
  pinnedImages && !reference.includes("@sha256:");

const unpinnedIn = ({ policy: { pinnedImages } }: Settings, pod: Settings["app"]["pod"], prefix: PropertyKey[]) =>
  pinnedImages && pod ? unpinnedContainers(pod).map((path) => ({ path: [...prefix, ...path], allowed: PINNED })) : [];

const SET_FROM_DATABASE = "left out: it is set from the settings in database";

/** The rules for settings that are wrong only in combination. */
export const rules: Rule[] = [
  ...databaseRules,
  { needs: ["app", "policy"], broken: (s) => problem(unpinned(s, s.app.image), ["app", "image"], PINNED) },
  {
    needs: ["migrations", "policy"],
    broken: (s) => problem(unpinned(s, s.migrations.image), ["migrations", "image"], PINNED),
  },
  {
    needs: ["workloads", "policy"],
    broken: (s) =>
      s.workloads.flatMap((each, index) => problem(unpinned(s, each.image), ["workloads", index, "image"], PINNED)),
  },
  { needs: ["app", "policy"], broken: (s) => unpinnedIn(s, s.app.pod, ["app", "pod"]) },
  { needs: ["migrations", "policy"], broken: (s) => unpinnedIn(s, s.migrations.pod, ["migrations", "pod"]) },
  {
    needs: ["workloads", "policy"],
    broken: (s) => s.workloads.flatMap(({ pod }, index) => unpinnedIn(s, pod, ["workloads", index, "pod"])),
  },
  { needs: ["app", "database"], broken: appPodProblems },
  { needs: ["app", "database", "workloads"], broken: workloadPodProblems },
  { needs: ["migrations", "database"], broken: (s) => migrationPodProblems(s, URL_VARIABLES) },
  {
    needs: ["app"],
    broken: ({ app: { preStop, terminationGrace } }) =>
      problem(
        terminationGrace.seconds <= preStop.seconds,
        ["app", "terminationGrace"],
        `longer than app.preStop (${preStop}), which counts towards it`,
      ),
  },
  {
    needs: ["app"],
    broken: ({ app: { startupTimeout, progressDeadline } }) =>
      problem(
        progressDeadline.seconds <= startupTimeout.seconds,
        ["app", "progressDeadline"],
        `longer than app.startupTimeout (${startupTimeout})`,
      ),
  },
  {
    needs: ["migrations"],
    broken: ({ migrations: { statementTimeout, deadline } }) =>
      problem(
        statementTimeout.seconds > deadline.seconds,
        ["migrations", "statementTimeout"],
        `at most migrations.deadline (${deadline}), which ends the whole Job`,
      ),
  },
  {
    needs: ["migrations"],
    broken: ({ migrations: { connectWait, deadline } }) =>
      problem(
        connectWait.seconds >= deadline.seconds,
        ["migrations", "connectWait"],
        `shorter than migrations.deadline (${deadline}), which ends the whole Job`,
      ),
  },
  {
    needs: ["migrations"],
    broken: ({ migrations: { lockTimeout, lockRetryTimeout } }) =>
      problem(
        lockRetryTimeout.seconds < lockTimeout.seconds,
        ["migrations", "lockRetryTimeout"],
        `at least migrations.lockTimeout (${lockTimeout}), which is one try`,
      ),
  },
  {
    needs: ["migrations"],
    broken: ({ migrations: { runner, command: own, env } }) =>
      runner === "command"
        ? []
        : [
            ...problem(own !== undefined, ["migrations", "command"], `left out, ${UNUSED}`),
            ...problem(env !== undefined, ["migrations", "env"], `left out, ${UNUSED}`),
          ],
  },
  {
    needs: ["migrations", "database"],
    broken: ({ migrations: { env = {} }, database: { env: variable = DEFAULT_VARIABLE, ca } }) => [
      ...[...new Set([...URL_VARIABLES, variable])].flatMap((name) =>
        problem(
          name in env,
          ["migrations", "env", name],
          "left out: it is set to the URL of the migration's role, with the lock time-out",
        ),
      ),
      ...problem(
        ca !== undefined && CA_VARIABLE in env,
        ["migrations", "env", CA_VARIABLE],
        "left out: it is set from database.ca",
      ),
    ],
  },
  {
    needs: ["service"],
    broken: ({ service: { type, host, url } }) =>
      problem(
        type === "NodePort" && host === undefined && url === undefined,
        ["service", "host"],
        'the address of a node, because service.type is "NodePort"',
      ),
  },
  {
    needs: ["app", "database"],
    broken: ({ app: { env }, database }) =>
      connectionVariables(database, "app").flatMap((name) =>
        problem(name in env, ["app", "env", name], SET_FROM_DATABASE),
      ),
  },
  {
    needs: ["workloads", "database"],
    broken: ({ workloads, database }) =>
      workloads.flatMap(({ env }, index) =>
        connectionVariables(database, "app").flatMap((name) =>
          problem(name in env, ["workloads", index, "env", name], SET_FROM_DATABASE),
        ),
      ),
  },
  {
    needs: ["app", "workloads"],
    broken: ({ app: { name: own }, workloads }) => {
      const names = [own, ...workloads.map((each) => each.name)];
      return workloads.flatMap((each, index) =>
        problem(
          names.indexOf(each.name) <= index,
          ["workloads", index, "name"],
          "a name that neither the app nor another workload has",
        ),
      );
    },
  },
  {
    needs: ["workloads", "drift"],
    broken: ({ workloads, drift: { schedule } }) =>
      workloads.flatMap((each, index) =>
        problem(
          schedule !== undefined && each.name === "drift",
          ["workloads", index, "name"],
          "another name, because drift.schedule makes a CronJob of this name",
        ),
      ),
  },
  ...backupRules,
  ...rehearsalRules,
  ...proofRules,
  ...adoptionRules,
  ...scalingRules,
];
