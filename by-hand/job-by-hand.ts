import type { CommandContainer } from "../components/command-container";
import { literal } from "../components/literal";
import { commonArguments } from "../components/migrator-arguments";
import { migratorJobManifest } from "../components/migrator-job-manifest";
import { labels } from "../components/pods";
import { readHistorySync } from "../migrations/history/history";
import { encodePayload, payloadKey } from "../migrations/history/payload";
import { releasedUntil } from "../migrations/history/until";
import { bundleMigrator, bundleRdsSigner } from "../migrator/cli/bundle";
import type { ObjectMeta } from "./cluster-objects";
import type { CommandStack } from "./stack";

/** The value of the label `app.kubernetes.io/component` of Jobs by hand, by which NetworkPolicies can select them. */
export const COMPONENT = "ops";

/** The label that names the verb. */
export const VERB_LABEL = "release/ops";

/** The label that names what the Job is for. */
const SUBJECT_LABEL = "release/subject";

/**
 * The seconds after which Kubernetes deletes an ended Job by itself, if this command was killed and could not. Pulumi
 * never manages these Jobs, so a TTL does no harm here.
 */
export const KEPT_SECONDS = 3600;

/** A run of the migrator in the cluster that is no step of a release. */
export interface JobByHand {
  readonly stack: CommandStack;
  readonly name: string;
  /** The verb of the migrator. */
  readonly verb: string;
  /** The arguments that follow the verb. They must contain no `$(VARIABLE)` of Kubernetes that isn't meant as one. */
  readonly arguments: readonly string[];
  /** The command that a message names to run the Job again. */
  readonly rerun: string;
  readonly json: boolean;
  /** What the Job is for, as the value of a label, if its command must find it again. */
  readonly subject?: string | undefined;
  /** A text for the migrator: the suffix of its ConfigMap's name, and its file's name in the migrator's folder. */
  readonly text?: { readonly suffix: string; readonly file: string; readonly text: string } | undefined;
  readonly program: MigratorProgram;
  /** What differs if the app's own command migrates, in the app's image. Default: the migrator does, in its own. */
  readonly own?: CommandContainer | undefined;
}

/** What the Job's pod gets besides its arguments. */
export interface MigratorProgram {
  /** The migrator as one CommonJS file. */
  readonly migrator: string;
  /** The AWS SDK's signer as one CommonJS file, if `database.auth` is "iam". */
  readonly signer?: string | undefined;
  /** The packed migrations. */
  readonly payload: readonly Buffer[];
}

/**
 * Builds the migrator, and packs the migrations of the checkout.
 * @throws HistoryError if the migrations can't be read
 */
export function migratorProgram({ directory, settings }: CommandStack): MigratorProgram {
  return {
    payload: encodePayload(releasedUntil(directory, readHistorySync(directory), settings.migrations.until).migrations),
    migrator: bundleMigrator(),
    signer: settings.database.auth === "iam" ? bundleRdsSigner() : undefined,
  };
}

/** Returns the Job. It differs from the Jobs of a release by its verb, its label and its TTL only. */
export function jobByHand(run: JobByHand): object {
  const { stack, name, verb, rerun, json, subject, own } = run;
  const { app, namespace, database, migrations } = stack.settings;
  const { metadata, spec } = migratorJobManifest({
    ...{ name, namespace, app: app.name, component: COMPONENT, settings: migrations },
    database: { settings: database },
    deadline: migrations.deadline,
    arguments: [
      ...[verb, ...run.arguments, ...commonArguments(stack.name, migrations)],
      ...["--rerun", literal(rerun)],
      ...(json ? ["--json"] : []),
    ],
    files: mapNames(run),
    own,
  });
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { ...metadata, labels: { ...labels(app.name, COMPONENT), ...ownLabels(verb, subject) } },
    spec: { ...spec, ttlSecondsAfterFinished: KEPT_SECONDS },
  };
}

/** Returns the labels by which the Jobs of a verb, and those for a subject, are found again. */
export function ownLabels(verb: string, subject: string | undefined): Record<string, string> {
  return { [VERB_LABEL]: verb, ...(subject === undefined ? {} : { [SUBJECT_LABEL]: subject }) };
}

/** Returns the selector of the Jobs with these labels. */
export function ownSelector(app: string, verb: string, subject: string): string {
  return [`app.kubernetes.io/name=${app}`, `${VERB_LABEL}=${verb}`, `${SUBJECT_LABEL}=${subject}`].join(",");
}

/** Returns the selector of the Jobs of every verb for a subject. */
export function subjectSelector(app: string, subject: string): string {
  return [`app.kubernetes.io/name=${app}`, `${SUBJECT_LABEL}=${subject}`].join(",");
}

/** Returns the selector of the Jobs that earlier runs of a command have made for the same subject. */
export function sameSubject({ verb, subject = "", stack }: JobByHand): string {
  return ownSelector(stack.settings.app.name, verb, subject);
}

/** Returns the contents of the ConfigMaps, by the suffixes of their names. */
function contents({ program: { migrator, signer, payload }, text }: JobByHand): Record<string, object> {
  const pieces = payload.map((piece, index) => [
    payloadKey(index),
    { binaryData: { [payloadKey(index)]: piece.toString("base64") } },
  ]);
  return {
    migrator: { data: { "migrator.cjs": migrator } },
    ...(signer === undefined ? {} : { signer: { data: { "rds-signer.cjs": signer } } }),
    ...Object.fromEntries(pieces),
    ...(text === undefined ? {} : { [text.suffix]: { data: { [text.file]: text.text } } }),
  };
}

/** Returns the names of the ConfigMaps. */
export function mapNames(run: JobByHand): string[] {
  return Object.keys(contents(run)).map((suffix) => `${run.name}-${suffix}`);
}

/**
 * Returns the ConfigMaps with the migrator and the SQL. They belong to the Job, so that Kubernetes deletes them with it.
 * @param uid the Job's uid
 */
export function configMapsByHand(run: JobByHand, uid: string): object {
  const { app, namespace } = run.stack.settings;
  const ownerReferences = [{ apiVersion: "batch/v1", kind: "Job", name: run.name, uid }];
  const items = Object.entries(contents(run)).map(([suffix, content]) => {
    const metadata: ObjectMeta = {
      name: `${run.name}-${suffix}`,
      namespace,
      labels: labels(app.name, COMPONENT),
      ownerReferences,
    };
    return { apiVersion: "v1", kind: "ConfigMap", metadata, immutable: true, ...content };
  });
  return { apiVersion: "v1", kind: "List", items };
}
