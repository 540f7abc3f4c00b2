import { z } from "zod";
import {
  command,
  cronSchedule,
  duration,
  environment,
  image,
  list,
  name,
  path,
  resources,
  setting,
  text,
  userId,
  whole,
} from "../types";
import { address, adoptedApp, adoptedService } from "./adoption";
import { podFragment } from "./pod";
import { autoscaling, podChange, replicas } from "./scaling";

const EXAMPLE_RESOURCES = { requests: { cpu: "500m", memory: "256Mi" }, limits: { memory: "512Mi" } };
const EXAMPLE_VARIABLES = { LOG_LEVEL: "info", SESSION_KEY: { secret: { name: "notes-session", key: "key" } } };

/** Returns the settings of what a container runs; the examples run the script. */
const started = (script: string) => ({
  command: setting(command.optional(), {
    description: "Command of the container, as a list.",
    example: ["node", script],
    without: "the image's",
  }),
  args: setting(list.optional(), {
    description: "Arguments of the command, as a list.",
    example: ["--verbose"],
    without: "the image's",
  }),
});

/** The app that is released. */
export const app = z.strictObject({
  name: setting(name(), {
    description: "Name of the Deployment and the Service (`service.name`); prefix of the name of every other object.",
    values: "a name of at most 40 characters",
    example: "notes",
  }),
  image: setting(image, {
    description: "Image of the app. It must be named by its digest where `policy.pinnedImages` is true.",
    example: "registry.example.com/notes:1.4.0",
    decidesRelease: true,
  }),
  port: setting(whole(1, 65_535).default(3000), {
    description: "Port that the app listens on; the app gets it as `PORT` too.",
    example: 8080,
  }),
  healthPath: setting(path.default("/health"), {
    description: "Answers 200 when the pod can serve; the startup and the readiness probe ask it every 2 s.",
    example: "/ready",
  }),
  livenessPath: setting(path.optional(), {
    description: "Answers 200 while the process is sound; it must not ask the database.",
    example: "/alive",
    without: "the port is probed",
  }),
  replicas: replicas({
    least: 1,
    without: "2, or what `app.autoscaling` sets",
    description: "Number of pods. `external` leaves it to an autoscaler of your own or to KEDA.",
    example: 4,
  }),
  autoscaling: autoscaling("app").optional(),
  strategy: setting(z.enum(["rolling", "recreate"]).default("rolling"), {
    description:
      "`recreate` stops every old pod before the first new one starts, for versions that must never run side by side; requests fail meanwhile, so it needs `app.downtime`.",
    example: "recreate",
  }),
  downtime: setting(z.literal("accepted").optional(), {
    description: "Acknowledges that requests fail during a rollout; only with `app.strategy: recreate`.",
    example: "accepted",
    without: "a rollout without downtime",
  }),
  maxSurge: setting(podChange.default(1), {
    description: "Pods that a rollout may have beyond the number of pods, as a number or percentage of it.",
    example: "25%",
  }),
  maxUnavailable: setting(podChange.default(0), {
    description:
      "Pods that a rollout may have fewer than the number of pods; with 0 there is never one fewer. A node that is drained takes as many at once, but at least one.",
    example: 1,
  }),
  ...started("server.mjs"),
  env: setting(environment.default({}), {
    description: "Variables: a text, `{secret: {name, key}}` or `{configMap: {name, key}}`.",
    example: EXAMPLE_VARIABLES,
  }),
  resources: setting(resources, {
    description: "What a container asks for (`requests`), and the most that it gets (`limits`).",
    example: EXAMPLE_RESOURCES,
  }),
  runAsUser: setting(userId.default(1000), {
    description: "User and group id of the process; never 0, which is root.",
    example: 1001,
  }),
  serviceAccount: setting(name(63).optional(), {
    description: "Service account of the app's pods.",
    example: "notes",
    without: "the namespace's default",
  }),
  schemaGate: setting(z.boolean().default(false), {
    description:
      "`true` adds an init container to the app's pods and to those of the workloads. It lets a pod start only where the database has this release's migrations: after a scale-up, on a restored database, or by another tool. It migrates nothing, and waits for `app.startupTimeout` at a time.",
    example: true,
  }),
  preStop: setting(duration("0s", "10m").prefault("5s"), {
    description:
      'Pause between "the pod leaves" and SIGTERM, in which proxies learn of it; `0s` leaves the hook out, which Kubernetes before 1.30 does not know.',
    example: "10s",
  }),
  terminationGrace: setting(duration("1s", "1h").prefault("45s"), {
    description: 'Time from "the pod leaves" to SIGKILL; longer than `app.preStop`.',
    example: "60s",
  }),
  startupTimeout: setting(duration("1s", "1h").prefault("2m"), {
    description: "Time that a new pod may take until its first good answer.",
    example: "5m",
  }),
  progressDeadline: setting(duration("5s", "6h").prefault("10m"), {
    description:
      "A rollout that makes no progress for this long has failed; `up` ends 30 s later, and the old pods go on serving.",
    example: "15m",
  }),
  ...adoptedApp,
  pod: setting(podFragment.optional(), {
    description: "Fragment of the pods' template, merged as Kubernetes merges: see [Pods](#pods).",
    example: {
      spec: {
        tolerations: [{ key: "team", operator: "Equal", value: "notes" }],
        containers: [{ name: "app", envFrom: [{ configMapRef: { name: "notes-flags" } }] }],
      },
    },
    without: "nothing is added",
  }),
});

/** How clients reach the app. */
export const service = z.strictObject({
  type: setting(z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).default("ClusterIP"), {
    description: "Kind of the Service.",
    example: "LoadBalancer",
  }),
  port: setting(whole(1, 65_535).default(80), { description: "Port of the Service.", example: 8080 }),
  host: setting(text.optional(), {
    description: "Host in the output `url`; for `NodePort`, the address of a node.",
    example: "notes.example.com",
    without: "the Service's own name, or the load balancer's",
  }),
  annotations: setting(z.record(z.string(), z.string()).default({}), {
    description: "Annotations of the Service, such as those of the AWS Load Balancer Controller.",
    example: { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" },
  }),
  ...adoptedService,
  ...address,
});

const shared = {
  name: setting(name(), {
    description: "Suffix of the object's name: `<app>-<name>`.",
    values: "a name of at most 40 characters",
    example: "mailer",
  }),
  image: setting(image.optional(), {
    description: "Image of the workload.",
    example: "registry.example.com/mailer:1.4.0",
    without: "the app's",
  }),
  ...started("mailer.mjs"),
  env: setting(environment.default({}), {
    description: "Variables as in `app.env`, to which they are added.",
    example: { QUEUE: "mail" },
  }),
  resources: setting(resources, { description: "As `app.resources`.", example: EXAMPLE_RESOURCES }),
  pod: setting(podFragment.optional(), {
    description: "As `app.pod`; the workload's own container has the workload's name.",
    example: { spec: { priorityClassName: "batch" } },
    without: "nothing is added",
  }),
};
const kind = { description: "A worker runs all the time, a cron job on a schedule." };

const worker = z.strictObject({
  kind: setting(z.literal("worker"), { ...kind, values: "`worker`, `cron`", example: "worker" }),
  ...shared,
  replicas: replicas({
    least: 0,
    without: "1, or what `workloads[].autoscaling` sets",
    description: "Number of pods of a worker; `external` as in `app.replicas`.",
    example: 2,
  }),
  autoscaling: autoscaling("workloads[]").optional(),
});

const cron = z.strictObject({
  kind: setting(z.literal("cron"), { ...kind, example: "cron" }),
  ...shared,
  schedule: setting(cronSchedule, {
    description: "When a cron job runs, in the cluster's time zone; `@daily` and the like are allowed too.",
    example: "15 3 * * *",
  }),
  deadline: setting(duration("5s", "1d").prefault("1h"), {
    description: "Time that one run of a cron job may take.",
    example: "30m",
  }),
});

/** The other workloads that use the same database. */
export const workloads = z.array(z.discriminatedUnion("kind", [worker, cron], { error: () => '"worker" or "cron"' }));
