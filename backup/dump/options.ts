import { parseArgs } from "node:util";
import type { ConnectionPlace } from "../../migrator/db/connection-place";
import { connectionPlace } from "../../migrator/db/connection-place";
import type { Authentication } from "../../migrator/db/url";
import { UsageFailure } from "../../migrator/failures/usage";
import { parseDuration } from "../../text/short-duration";
import { CLAIM_FOLDER, POD_FOLDER, SILENT_SECONDS } from "../pod-folder";

/** The options of the storing program. The connection and the credentials of the store come from the environment. */
export interface DumpOptions {
  /** The bucket with its prefix, or the claim whose volume is mounted. */
  readonly place: { readonly to: string } | { readonly claim: string; readonly folder: string };
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** The name of the dump, with folders and without an ending. */
  readonly name: string;
  readonly project: string;
  readonly stack: string;
  readonly app: string;
  readonly release: string | undefined;
  /** The sha-256 of the release's migrations. */
  readonly fingerprint: string;
  /** The last of the release's migrations. A database that has it needs no dump. Default: it always needs one. */
  readonly lastMigration: string | undefined;
  readonly recipients: readonly string[];
  /** The connections that read tables at the same time. More than one make a parallel dump. */
  readonly jobs: number;
  /** The image of `pg_dump`, for messages. */
  readonly image: string;
  readonly lockTimeout: string;
  /** The longest time for everything, in milliseconds, and as it was written. */
  readonly timeout: { readonly milliseconds: number; readonly text: string };
  readonly connectWait: number;
  /** The time without a sign of life after which the container of `pg_dump` is given up, in milliseconds. */
  readonly silent: number;
  /** The folder that is shared with the container of `pg_dump`. */
  readonly folder: string;
  readonly connection: ConnectionPlace;
  readonly auth: Authentication;
  readonly parameters: Readonly<Record<string, string>>;
  readonly rootCertificate: string | undefined;
}

const one = { type: "string" as const };
const many = { type: "string" as const, multiple: true as const };

const OPTIONS = {
  ...{ to: one, claim: one, "claim-folder": one, endpoint: one, region: one, name: one, project: one, stack: one },
  ...{
    app: one,
    fingerprint: one,
    "last-migration": one,
    jobs: one,
    image: one,
    "lock-timeout": one,
    timeout: one,
    "connect-wait": one,
    silent: one,
    folder: one,
  },
  ...{ auth: one, recipient: many, parameter: many },
};

/**
 * Reads the options from the command line and the environment variables. The program of a release writes them, so a
 * mistake in them is one of a person who runs the program by hand.
 * @throws UsageFailure with every mistake at once
 */
export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): DumpOptions {
  const mistakes: string[] = [];
  const { values } = parsed(args);
  const required = (name: "name" | "project" | "stack" | "app" | "fingerprint" | "image"): string => {
    const given = values[name];
    if (given === undefined) mistakes.push(`--${name} is missing.`);
    return given ?? "";
  };
  const time = (name: "lock-timeout" | "timeout" | "connect-wait" | "silent", otherwise: string) => {
    const written = values[name] ?? otherwise;
    const milliseconds = parseDuration(written);
    if (milliseconds === undefined) mistakes.push(`--${name} is "${written}", and must be a time such as 5s or 1h30m.`);
    return { milliseconds: milliseconds ?? 0, text: written };
  };
  const { to, claim, auth = "password", jobs = "1" } = values;
  if (!/^[1-9]\d?$/.test(jobs)) mistakes.push(`--jobs is "${jobs}", and must be a number from 1 to 99.`);
  if ((to === undefined) === (claim === undefined)) mistakes.push("Give either --to or --claim.");
  if (auth !== "password" && auth !== "iam") mistakes.push(`--auth is "${auth}", and must be password or iam.`);
  const connection = connectionPlace(undefined, environment);
  if (!connection) mistakes.push("There is no connection: set DATABASE_URL, DATABASE_URL_FILE or PGHOST.");
  const parameters = Object.fromEntries(
    (values.parameter ?? []).map((each) => {
      const at = each.indexOf("=");
      if (at < 1) mistakes.push(`--parameter ${each} must have the form KEY=TEXT.`);
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
  const options: DumpOptions = {
    place: claim === undefined ? { to: to ?? "" } : { claim, folder: values["claim-folder"] ?? CLAIM_FOLDER },
    endpoint: values.endpoint,
    region: values.region,
    name: required("name"),
    project: required("project"),
    stack: required("stack"),
    app: required("app"),
    release: environment["RELEASE_ID"] || undefined,
    fingerprint: required("fingerprint"),
    lastMigration: values["last-migration"],
    recipients: values.recipient ?? [],
    jobs: Number(jobs),
    image: required("image"),
    lockTimeout: time("lock-timeout", "1m").text,
    timeout: time("timeout", "3h"),
    connectWait: time("connect-wait", "10s").milliseconds,
    silent: time("silent", `${SILENT_SECONDS}s`).milliseconds,
    folder: values.folder ?? POD_FOLDER,
    connection: connection ?? { form: "url", url: "" },
    auth: auth === "iam" ? "iam" : "password",
    parameters,
    rootCertificate: environment["PGSSLROOTCERT"],
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return options;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true });
  } catch (error) {
    throw new UsageFailure([(error as Error).message]);
  }
}
