import { parseArgs } from "node:util";
import { type ConnectionPlace, connectionPlace } from "../../migrator/db/connection-place";
import type { Authentication } from "../../migrator/db/url";
import { UsageFailure } from "../../migrator/failures/usage";
import { parseDuration } from "../../text/short-duration";
import { CLAIM_FOLDER, POD_FOLDER, SILENT_SECONDS } from "../pod-folder";
import { KEY_FOLDER } from "../restore-pod";

/** What the restoring program does: looks, restores, removes a copy. */
const VERBS = ["look", "restore", "remove"] as const;
/** One of {@link VERBS}. */
type RestoreVerb = (typeof VERBS)[number];

/** The options of the restoring program. The connections and the store's credentials come from the environment. */
export interface RestoreOptions {
  readonly verb: RestoreVerb;
  readonly place: { readonly to: string } | { readonly claim: string; readonly folder: string };
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** The name of the dump, with folders and without an ending. Default: the last one that the database has recorded. */
  readonly dump: string | undefined;
  /** Whether `look` reads no dump. */
  readonly noDump: boolean;
  /** The name of the copy; empty where none is made. */
  readonly copy: string;
  /** Whether the copy is a database that somebody has made, at the connection in `INTO_URL`. */
  readonly into: boolean;
  /** The connections that restore a parallel dump. */
  readonly jobs: number;
  readonly project: string;
  readonly stack: string;
  /** Whether to end the sessions that use a copy which is to be removed. */
  readonly force: boolean;
  readonly image: string;
  readonly timeout: { readonly milliseconds: number; readonly text: string };
  readonly connectWait: number;
  readonly silent: number;
  readonly folder: string;
  readonly keyFolder: string;
  /** The command that a message names to run this again. */
  readonly rerun: string;
  readonly connection: ConnectionPlace;
  readonly auth: Authentication;
  readonly parameters: Readonly<Record<string, string>>;
  readonly rootCertificate: string | undefined;
}

const one = { type: "string" as const };
const flag = { type: "boolean" as const };

const OPTIONS = {
  ...{
    to: one,
    claim: one,
    "claim-folder": one,
    endpoint: one,
    region: one,
    dump: one,
    "no-dump": flag,
    copy: one,
    into: flag,
  },
  ...{
    project: one,
    stack: one,
    jobs: one,
    force: flag,
    image: one,
    timeout: one,
    "connect-wait": one,
    silent: one,
    folder: one,
  },
  ...{ "key-folder": one, rerun: one, auth: one, parameter: { ...one, multiple: true as const } },
};

/**
 * Reads the options from the command line and the environment variables.
 * @throws UsageFailure with every mistake at once
 */
export function readRestoreOptions(args: readonly string[], environment: NodeJS.ProcessEnv): RestoreOptions {
  const mistakes: string[] = [];
  const { values, positionals } = parsed(args);
  const verb = VERBS.find((each) => each === positionals[0]);
  if (verb === undefined) mistakes.push(`The verb must be one of ${VERBS.join(", ")}.`);
  const time = (name: "timeout" | "connect-wait" | "silent", otherwise: string) => {
    const text = values[name] ?? otherwise;
    const milliseconds = parseDuration(text);
    if (milliseconds === undefined) mistakes.push(`--${name} is "${text}", and must be a time such as 5s or 1h30m.`);
    return { milliseconds: milliseconds ?? 0, text };
  };
  const { to, claim, auth = "password", jobs = "1" } = values;
  if (!/^[1-9]\d?$/.test(jobs)) mistakes.push(`--jobs is "${jobs}", and must be a number from 1 to 99.`);
  mistakes.push(...missing(verb, values));
  if (auth !== "password" && auth !== "iam") mistakes.push(`--auth is "${auth}", and must be password or iam.`);
  const connection = connectionPlace(undefined, environment);
  if (!connection) mistakes.push("There is no connection: set DATABASE_URL, DATABASE_URL_FILE or PGHOST.");
  const options: RestoreOptions = {
    verb: verb ?? "look",
    place: claim === undefined ? { to: to ?? "" } : { claim, folder: values["claim-folder"] ?? CLAIM_FOLDER },
    ...{ endpoint: values.endpoint, region: values.region, dump: values.dump, copy: values.copy ?? "" },
    noDump: values["no-dump"] === true,
    into: values.into === true,
    jobs: Number(jobs),
    ...{ project: values.project ?? "", stack: values.stack ?? "", image: values.image ?? "" },
    force: values.force === true,
    timeout: time("timeout", "3h"),
    connectWait: time("connect-wait", "10s").milliseconds,
    silent: time("silent", `${SILENT_SECONDS}s`).milliseconds,
    folder: values.folder ?? POD_FOLDER,
    keyFolder: values["key-folder"] ?? KEY_FOLDER,
    rerun: values.rerun ?? "run the same command again",
    connection: connection ?? { form: "url", url: "" },
    auth: auth === "iam" ? "iam" : "password",
    parameters: Object.fromEntries(
      (values.parameter ?? []).map((each) => [each.split("=", 1)[0]!, each.slice(each.indexOf("=") + 1)]),
    ),
    rootCertificate: environment["PGSSLROOTCERT"],
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return options;
}

/** Returns what a verb needs and was not given. */
function missing(verb: RestoreVerb | undefined, { to, claim, copy, dump, into }: Values): string[] {
  const rules: [broken: boolean, mistake: string][] = [
    [(to === undefined) === (claim === undefined), "Give either --to or --claim."],
    [verb !== "look" && copy === undefined && into !== true, "--copy is missing."],
    [verb === "restore" && dump === undefined, "--dump is missing."],
  ];
  return rules.flatMap(([broken, mistake]) => (broken ? [mistake] : []));
}

type Values = ReturnType<typeof parsed>["values"];

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageFailure([(error as Error).message]);
  }
}
