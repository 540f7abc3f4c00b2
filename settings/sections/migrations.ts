import { z } from "zod";
import { checkNames, LEVELS } from "../checks";
import {
  type About,
  command,
  duration,
  environment,
  image,
  memory,
  name,
  percent,
  resources,
  setting,
  text,
  userId,
} from "../types";
import { podFragment } from "./pod";

/** Defines a setting of the migration Job. Each of them decides the release. */
const deciding = <T extends z.ZodType>(schema: T, about: About): T =>
  setting(schema, { ...about, decidesRelease: true });

const checks = z.record(
  z.string().refine((check) => checkNames.includes(check), `the name of a check: ${checkNames.join(", ")}`),
  z.enum(LEVELS),
);

/** The migrations, and the behaviour of the Job that applies them. */
export const migrations = z.strictObject({
  directory: setting(text, {
    description:
      "The Prisma migrations folder, relative to the program. What decides the release are the names and contents of its migrations.",
    example: "prisma/migrations",
  }),
  until: setting(text.optional(), {
    description:
      "The last migration of the folder that is released; later ones are held back. `restore switch` sets it, because the folder still has the migrations that the restored database must not get again ([recovery.md](recovery.md)).",
    example: "20260301000000_add_colour",
    without: "every migration is released",
  }),
  runner: deciding(z.enum(["migrator", "command"]).default("migrator"), {
    description:
      "`migrator` is the project's own, atomic and careful with locks. `command` is the app image's own command, with our preflight before and our verification after it; see below.",
    example: "command",
  }),
  command: deciding(command.optional(), {
    description: "With `runner: command`: program and arguments, run in `app.image` in its working directory.",
    example: ["npx", "prisma", "migrate", "deploy"],
    without: "`[npx, prisma, migrate, deploy]`",
  }),
  env: deciding(environment.optional(), {
    description: "With `runner: command`: further variables for it, as in `app.env`.",
    example: { SHADOW_DATABASE_URL: { secret: { name: "notes-database", key: "shadow-url" } } },
    without: "none",
  }),
  image: deciding(image.default("node:22-alpine"), {
    description: "A stock Node image (20 or later) in which the migrator runs.",
    example: "public.ecr.aws/docker/library/node:22-alpine",
  }),
  deadline: deciding(duration("5s", "2d").prefault("30m"), {
    description: "Time of the whole Job, pulling the image included.",
    example: "1h",
  }),
  connectWait: deciding(duration("1s", "10m").prefault("1m"), {
    description:
      "Time for which a server that refuses connections or doesn't answer is tried again. An Aurora cluster that was paused wakes up in 15 s to 60 s.",
    example: "2m",
  }),
  lockTimeout: deciding(duration("1s", "10m").prefault("5s"), {
    description: "Time that one statement may wait for a lock, and thereby hold up the queries behind it.",
    example: "2s",
  }),
  statementTimeout: deciding(duration("1s", "1d").prefault("15m"), {
    description: "Time that one statement may run; at most `migrations.deadline`.",
    example: "30m",
  }),
  soak: deciding(duration("0s", "7d").prefault("5m"), {
    description: "Time that the new version serves before the migrations marked `-- release: contract` are applied.",
    example: "1h",
  }),
  lockRetryTimeout: deciding(duration("1s", "1d").prefault("10m"), {
    description:
      "Time in which a lock is tried for again and again, with pauses between the tries; at least `migrations.lockTimeout`.",
    example: "20m",
  }),
  checks: deciding(checks.default({}), {
    description:
      "What a finding of a check does: it ends the release (`fail`), is a warning (`warn`), or the check is not run (`off`). Names and defaults of the checks are in [migrator.md](migrator.md#checks).",
    example: { drift: "fail", tls: "off" },
  }),
  maxTransactionAge: deciding(duration("1s", "1d").prefault("5m"), {
    description: "Preflight: transactions that are older are findings.",
    example: "10m",
  }),
  maxConnectionsPercent: deciding(percent(1).default(80), {
    description: "Preflight: a finding when more of the server's connections are in use.",
    example: 90,
  }),
  maxSequencePercent: deciding(percent(1).default(80), {
    description: "Preflight: sequences that are used up further are findings.",
    example: 90,
  }),
  maxRowLossPercent: deciding(percent(0).default(5), {
    description: "Verification: tables that lost more of their rows are findings.",
    example: 1,
  }),
  diskFree: deciding(memory.optional(), {
    description: "Free disk of the instance: Postgres itself can't tell.",
    example: "20Gi",
    without: "unknown",
  }),
  allowDatabaseAhead: deciding(z.boolean().default(false), {
    description:
      "`true` for going back to an older version of the app on purpose: the database may have migrations that the folder has not.",
    example: true,
  }),
  showValues: deciding(z.boolean().default(false), {
    description:
      "`true` shows errors and notices of Postgres whole, with values of rows in them: whoever reads the state or the log of a release can read these too.",
    example: true,
  }),
  resources: deciding(resources, {
    description: "As `app.resources`.",
    example: { requests: { cpu: "250m" }, limits: { memory: "1Gi" } },
  }),
  runAsUser: deciding(userId.default(1000), {
    description: "User and group id of the process; never 0, which is root.",
    example: 1001,
  }),
  serviceAccount: deciding(name(63).optional(), {
    description: "Service account of the Job's pod.",
    example: "notes-migration",
    without: "the namespace's default",
  }),
  pod: deciding(podFragment.optional(), {
    description: "As `app.pod`, for the pods of the Jobs; their own container is `migrator`.",
    example: { spec: { tolerations: [{ key: "team", operator: "Equal", value: "notes" }] } },
    without: "nothing is added",
  }),
  mesh: deciding(z.enum(["istio", "linkerd", "none"]).optional(), {
    description:
      "Service mesh that must put no sidecar into the Jobs' pods, because an injected sidecar may keep a Job from ending; `none` leaves the pods to the mesh.",
    example: "istio",
    without: "both are told",
  }),
});
