import { literal } from "../components/literal";
import { commonArguments, reviewArguments } from "../components/migrator-arguments";
import { migratorJobManifest } from "../components/migrator-job-manifest";
import { labels } from "../components/pods";
import type { Migration } from "../migrations/history/history";
import { payloadKey } from "../migrations/history/payload";
import { MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import type { ObjectMeta } from "./cluster-objects";
import type { OpsCommand } from "./options";
import type { OpsStack } from "./stack";

/** The value of the label `app.kubernetes.io/component` of what `ops` makes, by which NetworkPolicies can select it. */
export const COMPONENT = "ops";

/** The label that names the verb. */
const VERB_LABEL = "release/ops";

/**
 * The seconds after which Kubernetes deletes an ended Job by itself, if this command was killed and could not. Pulumi
 * never manages these Jobs, so a TTL does no harm here.
 */
const KEPT_SECONDS = 3600;

const SQL_KEY = "statement.sql";

/** What a Job by hand is made of. */
export interface OpsJobArgs {
  readonly command: OpsCommand;
  readonly stack: OpsStack;
  readonly name: string;
  /** The file of `sql`. */
  readonly file: Migration | undefined;
  /** The migrator as one CommonJS file. */
  readonly migrator: string;
  /** The AWS SDK's signer as one CommonJS file, if `database.auth` is "iam". */
  readonly signer?: string | undefined;
  /** The packed migrations. */
  readonly payload: readonly Buffer[];
}

/** Returns the command as it was typed, for the messages of the Job. */
function typedCommand({ verb, stack, given, file }: OpsCommand): string {
  const options = Object.entries(given).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().flatMap((each) => [`--${name}`, shellWord(each)]),
  );
  const words = [verb, ...(file === undefined ? [] : [shellWord(file)]), ...options, "--stack", shellWord(stack)];
  return `${commandLine("ops")} ${words.join(" ")}`;
}

/** Returns the Job that runs the verb. It differs from the Jobs of a release by its verb, its label and its TTL only. */
export function opsJob(args: OpsJobArgs): object {
  const { command, stack, name } = args;
  const { app, namespace, database, migrations } = stack.settings;
  const { metadata, spec } = migratorJobManifest({
    ...{ name, namespace, app: app.name, component: COMPONENT, settings: migrations },
    database: { settings: database },
    deadline: migrations.deadline,
    arguments: migratorArguments(args),
    files: mapNames(args),
  });
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { ...metadata, labels: { ...labels(app.name, COMPONENT), [VERB_LABEL]: command.verb } },
    spec: { ...spec, ttlSecondsAfterFinished: KEPT_SECONDS },
  };
}

function migratorArguments({ command, stack, file }: OpsJobArgs): string[] {
  const { verb, given, json } = command;
  const own = Object.entries(given).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().flatMap((each) => [`--${name}`, literal(each)]),
  );
  return [
    verb,
    ...(file === undefined ? [] : [`${MIGRATOR_FOLDER}/${SQL_KEY}`, "--file-name", literal(file.name)]),
    ...(verb === "sql" ? reviewArguments(stack.settings.review) : []),
    ...own,
    ...commonArguments(stack.name, stack.settings.migrations),
    ...["--rerun", literal(typedCommand(command))],
    ...(json ? ["--json"] : []),
  ];
}

/** Returns the contents of the ConfigMaps, by the suffixes of their names. */
function contents({ migrator, signer, payload, file }: OpsJobArgs): Record<string, object> {
  const pieces = payload.map((piece, index) => [
    payloadKey(index),
    { binaryData: { [payloadKey(index)]: piece.toString("base64") } },
  ]);
  return {
    migrator: { data: { "migrator.cjs": migrator } },
    ...(signer === undefined ? {} : { signer: { data: { "rds-signer.cjs": signer } } }),
    ...Object.fromEntries(pieces),
    ...(file === undefined ? {} : { sql: { data: { [SQL_KEY]: file.sql } } }),
  };
}

/** Returns the names of the ConfigMaps. */
export function mapNames(args: OpsJobArgs): string[] {
  return Object.keys(contents(args)).map((suffix) => `${args.name}-${suffix}`);
}

/**
 * Returns the ConfigMaps with the migrator and the SQL. They belong to the Job, so that Kubernetes deletes them with it.
 * @param uid the Job's uid
 */
export function opsConfigMaps(args: OpsJobArgs, uid: string): object {
  const { app, namespace } = args.stack.settings;
  const ownerReferences = [{ apiVersion: "batch/v1", kind: "Job", name: args.name, uid }];
  const items = Object.entries(contents(args)).map(([suffix, content]) => {
    const metadata: ObjectMeta = {
      name: `${args.name}-${suffix}`,
      namespace,
      labels: labels(app.name, COMPONENT),
      ownerReferences,
    };
    return { apiVersion: "v1", kind: "ConfigMap", metadata, immutable: true, ...content };
  });
  return { apiVersion: "v1", kind: "List", items };
}
