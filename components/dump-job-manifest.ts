import type * as pulumi from "@pulumi/pulumi";
import { parallelDumpScript } from "../backup/parallel";
import { dumpScript } from "../backup/pod-folder";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import type { DatabaseSource } from "./database-environment";
import { type DumpSettings, dumpPod } from "./dump-pod";
import type { MigratorJobManifest } from "./migrator-job-manifest";
import { withPodFragment } from "./pod-fragment";
import { labels } from "./pods";

/** The file that starts the storing program. */
const PROGRAM = "dump.cjs";

/** The seconds that the program gets beyond its own time limit, to say that it took too long. */
const MARGIN_SECONDS = 120;

/** Returns the time after which Kubernetes ends the Job, if the storing program hasn't ended it before. */
export function dumpDeadline({ timeout }: DumpSettings): Duration {
  return timeout.plus(MARGIN_SECONDS);
}

/** What decides the manifest of a dump's Job. */
export interface DumpJobManifestArgs {
  /** The Job's name in its namespace. */
  name: string;
  namespace: pulumi.Input<string>;
  app: string;
  releaseId: string;
  database: DatabaseSource;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  backup: DumpSettings;
  /** The arguments of the storing program. */
  arguments: readonly pulumi.Input<string>[];
  /** The names of the ConfigMaps with the storing program. */
  files: readonly string[];
}

/**
 * Returns the manifest of the Job that takes a dump. Of its pod's two containers one runs `pg_dump`, the other encrypts
 * and stores what it makes. The database's password is in their shared folder only until the dump has begun.
 */
export function dumpJobManifest(args: DumpJobManifestArgs): MigratorJobManifest {
  const { name, namespace, app, settings, backup } = args;
  const { lockTimeout, jobs } = backup.dump;
  const parallel = jobs > 1;
  const script = parallel ? parallelDumpScript(lockTimeout.seconds, jobs) : dumpScript(lockTimeout.seconds);
  return {
    metadata: { name, namespace, labels: labels(app, "dump") },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: dumpDeadline(backup).seconds,
      template: withPodFragment(
        dumpPod({ ...args, component: "dump", program: PROGRAM, client: { name: "pg-dump", script, parallel } }),
        settings.pod,
      ),
    },
  };
}
