import { expect, test } from "vitest";
import { parseSettings } from "../../settings/parse";

const HPA = { min: 2, max: 5, cpuPercent: 70 };
const WORKER = { kind: "worker", name: "mailer" };

function parsed({ app = {}, workloads = [] }: { app?: object; workloads?: object[] }) {
  return parseSettings({
    app: { name: "notes", image: "notes:1", ...app },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    workloads,
  });
}

const NUMBER = 'it must be a whole number from 1 to 1000, or "external"';
const CHANGE = 'it must be a number of pods from 0 to 1000, or a percentage from "0%" to "100%"';
const ALL = "it must be fewer than the number of pods, or a rollout takes all of them at once";

test.each<[app: object, message: string]>([
  [{ replicas: 0 }, `app.replicas is 0; ${NUMBER}`],
  [{ replicas: 1001 }, `app.replicas is 1001; ${NUMBER}`],
  [{ replicas: "hpa" }, `app.replicas is "hpa"; ${NUMBER}`],
  [{ replicas: null }, `app.replicas is null; ${NUMBER}`],
  [
    { replicas: 3, autoscaling: HPA },
    "app.replicas is 3; it must be left out, because app.autoscaling sets the number",
  ],
  [{ replicas: "external", autoscaling: HPA }, 'app.replicas is "external"; it must be left out'],
  [{ autoscaling: true }, "app.autoscaling is true; it must be a group of keys"],
  [{ autoscaling: { cpuPercent: 70 } }, "app.autoscaling.max is missing; it must be a whole number from 1 to 1000"],
  [{ autoscaling: { ...HPA, min: 0 } }, "app.autoscaling.min is 0; it must be a whole number from 1 to 1000"],
  [{ autoscaling: { ...HPA, max: 1 } }, "app.autoscaling.max is 1; it must be at least app.autoscaling.min (2)"],
  [
    { autoscaling: { max: 5 } },
    "app.autoscaling.cpuPercent is missing; it must be set, or app.autoscaling.memoryPercent, so that the autoscaler",
  ],
  [{ autoscaling: { ...HPA, cpuPercent: "70%" } }, 'cpuPercent is "70%"; it must be a whole number from 1 to 1000'],
  [{ autoscaling: { ...HPA, cpuPercent: 0 } }, "app.autoscaling.cpuPercent is 0; it must be a whole number from 1"],
  [
    { autoscaling: { ...HPA, cpu: 70 } },
    "unknown setting app.autoscaling.cpu; allowed: min, max, cpuPercent, memoryPercent",
  ],
  [
    { autoscaling: HPA, resources: { requests: { memory: "1Gi" } } },
    "app.resources.requests.cpu is missing; it must be set, because app.autoscaling.cpuPercent is a percentage of it",
  ],
  [
    { autoscaling: { max: 5, memoryPercent: 80 }, resources: { limits: { memory: "1Gi" } } },
    "app.resources.requests.memory is missing; it must be set, because app.autoscaling.memoryPercent",
  ],
  [{ maxSurge: "some" }, `app.maxSurge is "some"; ${CHANGE}`],
  [{ maxSurge: -1 }, `app.maxSurge is -1; ${CHANGE}`],
  [{ maxSurge: 1.5 }, `app.maxSurge is 1.5; ${CHANGE}`],
  [{ maxUnavailable: "101%" }, `app.maxUnavailable is "101%"; ${CHANGE}`],
  [{ maxUnavailable: "1" }, `app.maxUnavailable is "1"; ${CHANGE}`],
  [{ maxSurge: 0 }, "app.maxSurge is 0; it must be more than 0, because app.maxUnavailable is 0"],
  [{ maxSurge: "0%", maxUnavailable: "0%" }, 'app.maxSurge is "0%"; it must be more than 0'],
  [{ maxUnavailable: 2 }, `app.maxUnavailable is 2; ${ALL} (there may be 2)`],
  [{ replicas: 1, maxUnavailable: 1 }, `app.maxUnavailable is 1; ${ALL} (there may be 1)`],
  // Kubernetes takes one pod where the percentage rounds down to none and there is no surge.
  [{ replicas: 1, maxSurge: 0, maxUnavailable: "25%" }, `app.maxUnavailable is "25%"; ${ALL} (there may be 1)`],
  [{ autoscaling: HPA, maxUnavailable: 3 }, `app.maxUnavailable is 3; ${ALL} (there may be 2)`],
  [{ replicas: "external", maxUnavailable: "100%" }, `app.maxUnavailable is "100%"; ${ALL}`],
  [{ strategy: "blue-green" }, 'app.strategy is "blue-green"; it must be "rolling" or "recreate"'],
  [
    { strategy: "recreate" },
    'app.downtime is missing; it must be "accepted", because with app.strategy "recreate" requests fail',
  ],
  [{ strategy: "recreate", downtime: true }, 'app.downtime is true; it must be "accepted"'],
  [{ downtime: "accepted" }, 'app.downtime is "accepted"; it must be left out, because app.strategy is not "recreate"'],
])("refuses the app's %j", (app, message) => {
  const { problems } = parsed({ app });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(message);
});

test.each<[worker: object, message: string]>([
  [{ replicas: -1 }, 'workloads.0.replicas is -1; it must be a whole number from 0 to 1000, or "external"'],
  [{ replicas: 1, autoscaling: HPA }, "workloads.0.replicas is 1; it must be left out"],
  [{ autoscaling: { min: 9, max: 5, cpuPercent: 70 } }, "workloads.0.autoscaling.max is 5; it must be at least"],
  [
    { autoscaling: HPA, resources: {} },
    "workloads.0.resources.requests.cpu is missing; it must be set, because workloads.0.autoscaling.cpuPercent",
  ],
  [{ kind: "cron", schedule: "@daily", replicas: 2 }, "unknown setting workloads.0.replicas"],
  [{ kind: "cron", schedule: "@daily", autoscaling: HPA }, "unknown setting workloads.0.autoscaling"],
])("refuses a workload's %j", (worker, message) => {
  const { problems } = parsed({ workloads: [{ ...WORKER, ...worker }] });
  expect(problems.join("\n")).toContain(message);
});

test.each<[object]>([
  [{ replicas: "external", maxSurge: "50%", maxUnavailable: "50%" }],
  [{ autoscaling: { max: 1, min: 1, memoryPercent: 150 } }],
  [{ replicas: 3, maxSurge: 0, maxUnavailable: 1 }],
  [{ replicas: 1, strategy: "recreate", downtime: "accepted", maxSurge: 0 }],
])("accepts the app's %j", (app) => {
  expect(parsed({ app }).problems).toEqual([]);
});
