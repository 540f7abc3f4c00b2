import { randomBytes } from "node:crypto";
import { bundleRestore } from "../../backup/bundle";
import { CLAIM_FOLDER, POD_FOLDER } from "../../backup/pod-folder";
import { KEY_FILE, KEY_FOLDER, restoreScript } from "../../backup/restore-pod";
import { COMPONENT, KEPT_SECONDS, ownLabels } from "../../by-hand/job-by-hand";
import type { JobObjects } from "../../by-hand/run-job";
import type { CommandStack } from "../../by-hand/stack";
import { connectionArguments } from "../../components/database-environment";
import { type DumpSettings, dumpPod } from "../../components/dump-pod";
import { literal } from "../../components/literal";
import { withPodFragment } from "../../components/pod-fragment";
import { labels } from "../../components/pods";
import { bundleRdsSigner } from "../../migrator/cli/bundle";
import type { IntoSecret } from "../target";

/** The values of the label by which earlier Jobs are found, by the verbs. A look never disturbs a restore. */
export const JOB_LABELS = { look: "restore-look", restore: "restore-dump", remove: "restore-remove" } as const;

/** The seconds that the program gets beyond its own time limit, to say that it took too long. */
const MARGIN_SECONDS = 120;

/** The variable with the connection string of the database of `--into`. */
const INTO_VARIABLE = "INTO_URL";

/** What a Job of the restoring program is to do. */
export interface DumpJobArgs {
  readonly stack: CommandStack<"backup">;
  readonly backup: DumpSettings;
  /** The verb of the restoring program. */
  readonly verb: "look" | "restore" | "remove";
  /** The arguments behind the verb, apart from those that every verb has. */
  readonly arguments: readonly string[];
  /** The longest time of the work, in milliseconds. */
  readonly timeout: number;
  /** The format of the dump; default: it is streamed. */
  readonly format?: "custom" | "directory" | undefined;
  /** The key of the dump's file, for a Secret that goes with the Job. Default: none is needed. */
  readonly fileKey?: Uint8Array | undefined;
  readonly into?: IntoSecret | undefined;
  /** What the Job is for, by which a later run of the same command finds it. */
  readonly subject: string;
}

/** The suffixes of the names of a Job's ConfigMaps, and of its Secret. */
const SUFFIXES = { program: "program", signer: "signer", key: "key" } as const;

/** Returns the names of the objects that belong to a Job of these, whether they exist or not. */
export function belongingsOf(job: string): { maps: string[]; secrets: string[] } {
  return { maps: [`${job}-${SUFFIXES.program}`, `${job}-${SUFFIXES.signer}`], secrets: [`${job}-${SUFFIXES.key}`] };
}

/** Returns the value of a label that stands for any text. */
export function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9_.-]/g, "-")
    .slice(-63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}

/**
 * Returns a Job of the restoring program. The private key stays where the command runs: the pod gets only the key of the
 * one file that it restores, in a Secret that belongs to the Job.
 */
export function dumpJob(args: DumpJobArgs): JobObjects {
  const { stack, verb, fileKey } = args;
  const { app, database } = stack.settings;
  const name = `${app.name}-ops-${verb}-${randomBytes(3).toString("hex")}`;
  const iam = database.auth === "iam";
  const maps = [`${name}-${SUFFIXES.program}`, ...(iam ? [`${name}-${SUFFIXES.signer}`] : [])];
  const secrets = fileKey ? [`${name}-${SUFFIXES.key}`] : [];
  return {
    ...{ name, maps, secrets },
    job: jobManifest(args, { name, maps, secret: secrets[0] }),
    belongings: (uid) => belongings(args, { name, uid, maps, secret: secrets[0] }),
    whenStopped: verb === "restore" ? "what it has restored is removed" : "it has changed nothing",
  };
}

function jobManifest(
  { stack, backup, verb, timeout, into, subject, ...args }: DumpJobArgs,
  { name, maps, secret }: { name: string; maps: string[]; secret: string | undefined },
): object {
  const { app, namespace, database, migrations } = stack.settings;
  const { dump } = backup;
  const place =
    dump.to === undefined ? ["--claim", dump.claim ?? "", "--claim-folder", CLAIM_FOLDER] : ["--to", dump.to];
  const folders = ["--folder", POD_FOLDER, "--key-folder", KEY_FOLDER];
  const options: [flag: string, value: string | undefined][] = [
    ["--endpoint", dump.endpoint],
    ["--region", dump.region],
    ["--project", stack.project],
    ["--stack", stack.name],
    ["--image", backup.image],
    ["--connect-wait", migrations.connectWait.text],
    ["--jobs", String(dump.jobs)],
    ["--timeout", `${Math.ceil(timeout / 1000)}s`],
  ];
  const template = dumpPod({
    ...{ app: app.name, component: COMPONENT, settings: migrations, backup, files: maps },
    database: { settings: database },
    program: "restore-dump.cjs",
    arguments: [
      ...[verb, ...place, ...folders, ...args.arguments],
      ...options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, literal(value)])),
      ...(into ? ["--into"] : []),
      ...connectionArguments({ settings: database }),
    ],
    client:
      verb === "restore"
        ? { name: "pg-restore", script: restoreScript(), parallel: args.format === "directory" }
        : undefined,
    env: into ? [{ name: INTO_VARIABLE, valueFrom: { secretKeyRef: { name: into.secret, key: into.key } } }] : [],
    volumes: secret === undefined ? [] : [{ name: "restore-key", secretName: secret, mountPath: KEY_FOLDER }],
  });
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels: { ...labels(app.name, COMPONENT), ...ownLabels(JOB_LABELS[verb], subject) } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: Math.ceil(timeout / 1000) + MARGIN_SECONDS,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: withPodFragment(template, migrations.pod),
    },
  };
}

function belongings(
  { stack, fileKey }: DumpJobArgs,
  { name, uid, maps, secret }: { name: string; uid: string; maps: string[]; secret: string | undefined },
): object {
  const { app, namespace } = stack.settings;
  const ownerReferences = [{ apiVersion: "batch/v1", kind: "Job", name, uid }];
  const metadata = (own: string) => ({ name: own, namespace, labels: labels(app.name, COMPONENT), ownerReferences });
  const contents = [{ "restore-dump.cjs": bundleRestore() }, { "rds-signer.cjs": maps[1] ? bundleRdsSigner() : "" }];
  const items: object[] = maps.map((map, index) => ({
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: metadata(map), immutable: true },
    data: contents[index],
  }));
  if (secret !== undefined && fileKey) {
    // The file holds base64 itself, so that it is text.
    const text = Buffer.from(fileKey).toString("base64");
    items.push({
      ...{ apiVersion: "v1", kind: "Secret", metadata: metadata(secret), immutable: true, type: "Opaque" },
      data: { [KEY_FILE]: Buffer.from(text).toString("base64") },
    });
  }
  return { apiVersion: "v1", kind: "List", items };
}
