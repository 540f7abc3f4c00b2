import { z } from "zod";
import { findingClasses } from "./finding-classes";
import { CPU_ALLOWED, Duration, MEMORY_ALLOWED, parseCpu, parseMemory } from "./units";

/**
 * The settings of one environment, as they stand in `Pulumi.<stack>.yaml` below the project's name.
 *
 * Every key is documented in docs/settings.md; a test compares that table with this schema.
 */

/** A DNS label, as Kubernetes names most objects (RFC 1123). Shorter than its 63, so that suffixes fit. */
const name = (limit = 40) =>
  z
    .string()
    .max(limit, `at most ${limit} characters`)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, "lower-case letters, digits and hyphens, a letter first");

const duration = (min: string, max: string) =>
  z.string({ error: () => Duration.allowed }).transform((text, context) => {
    const value = Duration.parse(text);
    const [least, most] = [Duration.parse(min)!, Duration.parse(max)!];
    if (value && value.seconds >= least.seconds && value.seconds <= most.seconds) return value;
    context.addIssue({ code: "custom", message: `${Duration.allowed}, from ${min} to ${max}` });
    return z.NEVER;
  });

const memory = z
  .string({ error: () => MEMORY_ALLOWED })
  .refine((text) => parseMemory(text) !== undefined, MEMORY_ALLOWED);
const cpu = z.coerce.string().refine((text) => parseCpu(text) !== undefined, CPU_ALLOWED);
const whole = (min: number, max: number) => {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .number({ error: () => allowed })
    .int(allowed)
    .min(min, allowed)
    .max(max, allowed);
};
const path = z.string().regex(/^\/\S*$/, "a path that begins with /");

const resources = z.strictObject({
  requests: z.strictObject({ cpu: cpu.exactOptional(), memory: memory.exactOptional() }).exactOptional(),
  limits: z.strictObject({ cpu: cpu.exactOptional(), memory: memory.exactOptional() }).exactOptional(),
});

const reference = z.strictObject({ name: z.string().min(1), key: z.string().min(1) });
const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "the name of an environment variable"),
  z.union(
    [
      z.union([z.string(), z.number(), z.boolean()]).transform(String),
      z.strictObject({ secret: reference }),
      z.strictObject({ configMap: reference }),
    ],
    { error: () => 'a text, {secret: {name: "…", key: "…"}} or {configMap: {name: "…", key: "…"}}' },
  ),
);

const image = z
  .string()
  .regex(
    /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/i,
    "an image such as registry/notes:1.4.0 or registry/notes@sha256:…",
  );
const command = z.array(z.string()).min(1);

const app = z.strictObject({
  name: name(),
  image,
  port: whole(1, 65_535).default(3000),
  healthPath: path.default("/health"),
  livenessPath: path.optional(),
  replicas: whole(1, 1000).default(2),
  command: command.optional(),
  args: z.array(z.string()).optional(),
  env: environment.default({}),
  resources: resources.default({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } }),
  runAsUser: whole(1, 2_147_483_647).default(1000),
  serviceAccount: name(63).optional(),
  preStop: duration("0s", "10m").prefault("5s"),
  terminationGrace: duration("1s", "1h").prefault("45s"),
  startupTimeout: duration("1s", "1h").prefault("2m"),
  progressDeadline: duration("5s", "6h").prefault("10m"),
});

const database = z.strictObject({
  kind: z.enum(["instance", "cluster"]).default("instance"),
  identifier: z
    .string()
    .max(63, "at most 63 characters")
    .regex(/^[a-z](?:-?[a-z0-9])*$/i, "an RDS identifier: letters, digits and single hyphens, a letter first")
    // As RDS keeps it: another spelling would count as a change that replaces the snapshot.
    .toLowerCase(),
  secret: z.strictObject({
    name: name(63),
    appKey: z.string().min(1).default("url"),
    migrationKey: z.string().min(1).default("direct-url"),
  }),
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")
    .default("DATABASE_URL"),
});

const backup = z.strictObject({
  mode: z.enum(["snapshot", "none"]).default("snapshot"),
  timeout: duration("1s", "2d").prefault("3h"),
  maxAge: duration("1m", "30d").prefault("1h"),
  restore: z.string().includes("{snapshot}", { message: "a command with {snapshot} in it" }).optional(),
});

/** The migrator's checks, before and after; a test compares this list with the migrator's own. */
export const CHECKS = [
  ...[
    "server",
    "tls",
    "superuser",
    "permissions",
    "history",
    "order",
    "transactions",
    "statements",
    "directives",
    "review",
    "drift",
    "runner",
    "locks",
  ],
  ...["old-transactions", "prepared-transactions", "vacuum", "connections", "replication", "disk"],
  ...["invalid-indexes", "sequences", "sequences-behind"],
  ...["finished", "promised", "valid-indexes", "constraints", "rows", "sequences-ahead", "analyzed", "slowest"],
];
const level = z.enum(["fail", "warn", "off"]);
const checks = z.record(
  z.string().refine((check) => CHECKS.includes(check), `the name of a check: ${CHECKS.join(", ")}`),
  level,
);

const migrations = z.strictObject({
  directory: z.string().min(1),
  runner: z.enum(["migrator", "command"]).default("migrator"),
  command: command.optional(),
  env: environment.optional(),
  image: image.default("node:22-alpine"),
  deadline: duration("5s", "2d").prefault("30m"),
  lockTimeout: duration("1s", "10m").prefault("5s"),
  soak: duration("0s", "7d").prefault("5m"),
  lockRetryTimeout: duration("1s", "1d").prefault("10m"),
  statementTimeout: duration("1s", "1d").prefault("15m"),
  checks: checks.default({}),
  maxTransactionAge: duration("1s", "1d").prefault("5m"),
  maxConnectionsPercent: whole(1, 100).default(80),
  maxSequencePercent: whole(1, 100).default(80),
  maxRowLossPercent: whole(0, 100).default(5),
  diskFree: memory.optional(),
  allowDatabaseAhead: z.boolean().default(false),
  showValues: z.boolean().default(false),
  resources: resources.default({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } }),
  runAsUser: whole(1, 2_147_483_647).default(1000),
  serviceAccount: name(63).optional(),
});

const service = z.strictObject({
  type: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).default("ClusterIP"),
  port: whole(1, 65_535).default(80),
  host: z.string().min(1).optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

const workload = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({
      kind: z.literal("worker"),
      name: name(),
      image: image.optional(),
      command: command.optional(),
      args: z.array(z.string()).optional(),
      env: environment.default({}),
      replicas: whole(0, 1000).default(1),
      resources: resources.default({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } }),
    }),
    z.strictObject({
      kind: z.literal("cron"),
      name: name(),
      schedule: z.string().regex(/^(@\w+|\S+ \S+ \S+ \S+ \S+)$/, 'a cron schedule such as "0 3 * * *"'),
      image: image.optional(),
      command: command.optional(),
      args: z.array(z.string()).optional(),
      env: environment.default({}),
      deadline: duration("5s", "1d").prefault("1h"),
      resources: resources.default({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } }),
    }),
  ],
  { error: () => '"worker" or "cron"' },
);

const policy = z.strictObject({
  pinnedImages: z.boolean().default(false),
  backup: z.enum(["required", "optional"]).default("required"),
  encryption: z.enum(["required", "optional"]).default("optional"),
  protect: z.boolean().default(false),
});

const acknowledgement = z.strictObject({
  migration: z.string().min(1),
  finding: z.string().min(1),
  checksum: z.string().regex(/^[0-9a-f]{8,64}$/, "the first 8 or more characters of the migration's checksum"),
  reason: z.string().min(1),
});

const review = z.strictObject({
  refuse: z.array(z.enum(findingClasses)).default([]),
  acknowledgements: z.array(acknowledgement).default([]),
  since: z.string().min(1).optional(),
});

/** For the release's report: where it is written, and what no software can find out. */
const report = z.strictObject({
  directory: z.string().min(1).optional(),
  tested: z.string().min(1).optional(),
  rollback: z.string().min(1).optional(),
  window: z.string().min(1).optional(),
  monitoring: z.string().min(1).optional(),
  application: z.string().min(1).optional(),
});

const smoke = z.strictObject({ command: z.string().min(1), timeout: duration("1s", "1h").prefault("2m") });

/** One entry a key of `Pulumi.<stack>.yaml`; each is checked by itself, so that a mistake in one hides none in another. */
export const sections = {
  namespace: name(63).default("default"),
  app,
  database,
  backup: backup.prefault({}),
  migrations,
  service: service.prefault({}),
  workloads: z.array(workload).default([]),
  policy: policy.prefault({}),
  review: review.prefault({}),
  report: report.prefault({}),
  smoke: smoke.optional(),
  release: z.strictObject({ attempt: whole(1, 10_000).default(1) }).prefault({}),
};

export type Section = keyof typeof sections;
export type Settings = { [S in Section]: z.infer<(typeof sections)[S]> };
export type AppSettings = Settings["app"];
export type WorkloadSettings = Settings["workloads"][number];
export type EnvironmentSettings = AppSettings["env"];

export interface Problem {
  path: PropertyKey[];
  allowed: string;
}

interface Rule {
  /** The sections that the rule compares: it is skipped while one of them is wrong in itself. */
  needs: Section[];
  broken(settings: Settings): Problem[];
}

const problem = (broken: boolean, path: PropertyKey[], allowed: string): Problem[] =>
  broken ? [{ path, allowed }] : [];
/** Where a Prisma schema may look for its connection string: the migrator sets them all. */
export const URL_VARIABLES: readonly string[] = ["DATABASE_URL", "DIRECT_URL"];
const UNUSED = 'because migrations.runner is not "command"';
const PINNED = "an image pinned by its digest (…@sha256:…), because policy.pinnedImages is true";
const unpinned = ({ policy: { pinnedImages } }: Settings, reference = "@sha256:") =>
  pinnedImages && !reference.includes("@sha256:");

/** What is wrong only in combination. */
export const rules: Rule[] = [
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
  {
    needs: ["backup", "policy"],
    broken: (s) =>
      problem(
        s.policy.backup === "required" && s.backup.mode === "none",
        ["backup", "mode"],
        '"snapshot", because policy.backup is "required"',
      ),
  },
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
    needs: ["backup", "migrations"],
    broken: ({ backup: { mode, maxAge }, migrations: { soak } }) =>
      problem(
        mode === "snapshot" && maxAge.seconds <= soak.seconds,
        ["backup", "maxAge"],
        `longer than migrations.soak (${soak}), after which the contract migrations still rely on the snapshot`,
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
    broken: ({ migrations: { env = {} }, database: { env: variable } }) =>
      [...new Set([...URL_VARIABLES, variable])].flatMap((name) =>
        problem(
          name in env,
          ["migrations", "env", name],
          "left out: it is set from database.secret.migrationKey, with the lock time-out",
        ),
      ),
  },
  {
    needs: ["service"],
    broken: ({ service: { type, host } }) =>
      problem(
        type === "NodePort" && host === undefined,
        ["service", "host"],
        'the address of a node, because service.type is "NodePort"',
      ),
  },
  {
    needs: ["app", "database"],
    broken: ({ app: { env }, database: { env: variable } }) =>
      problem(
        variable in env,
        ["app", "env", variable],
        "left out: it is set from database.secret (database.env names it)",
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
];
