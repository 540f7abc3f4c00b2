import { type Problem, problem, type Rule } from "./rule";
import type { Settings } from "./schema";
import { DEFAULT_REPLICAS } from "./sections/scaling";

type App = Settings["app"];
type Scaled = Pick<App, "replicas" | "autoscaling" | "resources">;

/** The rules for the number of pods and how a rollout may change it. */
export const scalingRules: Rule[] = [
  { needs: ["app"], broken: ({ app }) => autoscalingProblems(app, ["app"], "app") },
  {
    needs: ["workloads"],
    broken: ({ workloads }) =>
      workloads.flatMap((each, index) =>
        each.kind === "worker" ? autoscalingProblems(each, ["workloads", index], `workloads.${index}`) : [],
      ),
  },
  { needs: ["app"], broken: ({ app }) => strategyProblems(app) },
  { needs: ["app"], broken: ({ app }) => (app.strategy === "rolling" ? rollingProblems(app) : []) },
];

function autoscalingProblems(
  { replicas, autoscaling, resources }: Scaled,
  path: PropertyKey[],
  key: string,
): Problem[] {
  if (!autoscaling) return [];
  const { min, max, cpuPercent, memoryPercent } = autoscaling;
  const at = [...path, "autoscaling"];
  const unrequested = (resource: "cpu" | "memory", percent: number | undefined) =>
    problem(
      percent !== undefined && resources.requests?.[resource] === undefined,
      [...path, "resources", "requests", resource],
      `set, because ${key}.autoscaling.${resource}Percent is a percentage of it`,
    );
  return [
    ...problem(
      replicas !== undefined,
      [...path, "replicas"],
      `left out, because ${key}.autoscaling sets the number of pods`,
    ),
    ...problem(max < min, [...at, "max"], `at least ${key}.autoscaling.min (${min})`),
    ...problem(
      cpuPercent === undefined && memoryPercent === undefined,
      [...at, "cpuPercent"],
      `set, or ${key}.autoscaling.memoryPercent, so that the autoscaler knows what to scale by`,
    ),
    ...unrequested("cpu", cpuPercent),
    ...unrequested("memory", memoryPercent),
  ];
}

function strategyProblems({ strategy, downtime }: App): Problem[] {
  return [
    ...problem(
      strategy === "recreate" && downtime === undefined,
      ["app", "downtime"],
      '"accepted", because with app.strategy "recreate" requests fail from the end of the old pods until new ones are ready',
    ),
    ...problem(
      strategy === "rolling" && downtime !== undefined,
      ["app", "downtime"],
      'left out, because app.strategy is not "recreate"',
    ),
  ];
}

/** Refuses the combinations with which Kubernetes would take down every pod at once, or refuse the Deployment. */
function rollingProblems({ replicas, autoscaling, maxSurge, maxUnavailable }: App): Problem[] {
  const fewest = autoscaling?.min ?? (replicas === "external" ? undefined : (replicas ?? DEFAULT_REPLICAS.app));
  const none = (change: number | string) => change === 0 || change === "0%";
  if (none(maxSurge) && none(maxUnavailable))
    return problem(
      true,
      ["app", "maxSurge"],
      "more than 0, because app.maxUnavailable is 0 and a rollout could not begin",
    );
  if (fewest === undefined) return problem(maxUnavailable === "100%", ["app", "maxUnavailable"], ALL_AT_ONCE);
  // Kubernetes rounds maxUnavailable down, but takes 1 where that leaves the rollout no way to begin.
  const unavailable =
    typeof maxUnavailable === "number"
      ? maxUnavailable
      : Math.floor((Number.parseInt(maxUnavailable, 10) * fewest) / 100);
  const least = none(maxSurge) ? Math.max(1, unavailable) : unavailable;
  return problem(least >= fewest, ["app", "maxUnavailable"], `${ALL_AT_ONCE} (there may be ${fewest})`);
}

const ALL_AT_ONCE = "fewer than the number of pods, or a rollout takes all of them at once";
