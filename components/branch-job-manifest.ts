import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { NEON_KEY_VARIABLE } from "../settings/neon";
import { MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import type { DatabaseSource } from "./database-environment";
import { type MigratorJobManifest, migratorJobManifest } from "./migrator-job-manifest";

/** The file that starts the program. */
const PROGRAM = `${MIGRATOR_FOLDER}/branch.cjs`;

/** The seconds that the program gets beyond its own time limit, to say that it took too long. */
const MARGIN_SECONDS = 120;

/** The settings of a backup whose mode is "branch". */
export type BranchSettings = Settings["backup"] & { branch: NonNullable<Settings["backup"]["branch"]> };

/** Returns the time after which Kubernetes ends the Job, if its program hasn't ended it before. */
export function branchDeadline({ timeout }: BranchSettings): Duration {
  return timeout.plus(MARGIN_SECONDS);
}

/** What decides the manifest of a branch's Job. */
export interface BranchJobManifestArgs {
  /** The Job's name in its namespace. */
  name: string;
  namespace: pulumi.Input<string>;
  app: string;
  releaseId: string;
  database: DatabaseSource;
  /** The settings of the Jobs' pods. */
  settings: Settings["migrations"];
  backup: BranchSettings;
  /** The arguments of the program. */
  arguments: readonly pulumi.Input<string>[];
  /** The names of the ConfigMaps with the program. */
  files: readonly string[];
}

/**
 * Returns the manifest of the Job that asks Neon for a branch. Its pod is that of the migrator with another program, and
 * with the API key from its Secret.
 */
export function branchJobManifest({ backup, settings, ...args }: BranchJobManifestArgs): MigratorJobManifest {
  return migratorJobManifest({
    ...{ ...args, settings, component: "branch", deadline: branchDeadline(backup), outlivesRelease: true },
    own: {
      image: settings.image,
      command: ["node", PROGRAM],
      args: [],
      env: [neonKey(backup.branch)],
      volumes: [],
      volumeMounts: [],
    },
  });
}

/** Returns the variable with the API key, from its Secret. */
export function neonKey({ secret: { name, key } }: BranchSettings["branch"]): types.input.core.v1.EnvVar {
  return { name: NEON_KEY_VARIABLE, valueFrom: { secretKeyRef: { name, key } } };
}
