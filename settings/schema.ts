import type { z } from "zod";
import { app, service, workloads } from "./sections/app";
import { backup } from "./sections/backup";
import { database } from "./sections/database";
import { drift } from "./sections/drift";
import { migrations } from "./sections/migrations";
import { policy, release, report, review, smoke } from "./sections/policy";
import { rehearsal } from "./sections/rehearsal";
import { name, setting } from "./types";

/**
 * The settings of one environment, as they are written in `Pulumi.<stack>.yaml` in the namespace `release`, one entry for
 * each key. Each section is checked by itself, so that a mistake in one hides none in another. `npm run docs` generates
 * the tables in docs/settings.md and the schema for editors from this.
 */
export const sections = {
  namespace: setting(name(63).default("default"), {
    description: "An existing Kubernetes namespace, in which all objects of the release are.",
    example: "notes",
  }),
  app,
  database,
  backup: backup.prefault({}),
  migrations,
  rehearsal: rehearsal.prefault({}),
  drift: drift.prefault({}),
  service: service.prefault({}),
  workloads: workloads.default([]),
  policy: policy.prefault({}),
  review: review.prefault({}),
  report: report.prefault({}),
  smoke: smoke.optional(),
  release: release.prefault({}),
};

/** The name of a section, which is one key of the stack's configuration. */
export type Section = keyof typeof sections;
/** The settings of a stack, after the checks and with their defaults. */
export type Settings = { [S in Section]: z.infer<(typeof sections)[S]> };
/** The settings of the app. */
export type AppSettings = Settings["app"];
/** The settings of the database. */
export type DatabaseSettings = Settings["database"];
/** The settings of one worker or cron job. */
export type WorkloadSettings = Settings["workloads"][number];
/** The environment variables of a container. */
export type EnvironmentSettings = AppSettings["env"];
