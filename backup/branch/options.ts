import { parseArgs } from "node:util";
import type { ConnectionPlace } from "../../migrator/db/connection-place";
import { connectionPlace } from "../../migrator/db/connection-place";
import type { Authentication } from "../../migrator/db/url";
import { UsageFailure } from "../../migrator/failures/usage";
import { LOCAL_NEON_VARIABLE, NEON_API, NEON_KEY_VARIABLE } from "../../settings/neon";
import { parseDuration } from "../../text/short-duration";
import { TROUBLE_MS } from "../neon/operations";

/** The options of the program that makes a branch. The connection and the API key come from the environment. */
export interface BranchOptions {
  /** The project of Neon. */
  readonly project: string;
  /** The branch that is backed up, by id or name. Default: the one behind the database's host. */
  readonly parent: string | undefined;
  readonly endpoint: string;
  readonly key: string;
  /** The name of the new branch. */
  readonly name: string;
  /** The Pulumi project and its stack. */
  readonly stackProject: string;
  readonly stack: string;
  readonly app: string;
  readonly release: string | undefined;
  /** The sha-256 of the release's migrations. */
  readonly fingerprint: string;
  /** The last of the release's migrations. A database that has it needs no branch. Default: it always needs one. */
  readonly lastMigration: string | undefined;
  /** The longest time for everything, in milliseconds, and as it was written. */
  readonly timeout: { readonly milliseconds: number; readonly text: string };
  readonly connectWait: number;
  /** The time after which an operation that fails, or a branch that is not ready, is given up, in milliseconds. */
  readonly trouble: number;
  readonly connection: ConnectionPlace;
  readonly auth: Authentication;
  readonly parameters: Readonly<Record<string, string>>;
  readonly rootCertificate: string | undefined;
}

const one = { type: "string" as const };

const OPTIONS = {
  ...{ "neon-project": one, parent: one, endpoint: one, name: one, project: one, stack: one, app: one },
  ...{ fingerprint: one, "last-migration": one, timeout: one, "connect-wait": one, trouble: one, auth: one },
  parameter: { type: "string" as const, multiple: true as const },
};

/**
 * Reads the options from the command line and the environment variables. The program of a release writes them, so a
 * mistake in them is one of a person who runs the program by hand.
 * @throws UsageFailure with every mistake at once
 */
export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): BranchOptions {
  const mistakes: string[] = [];
  const { values } = parsed(args);
  const required = (name: "neon-project" | "name" | "project" | "stack" | "app" | "fingerprint"): string => {
    const given = values[name];
    if (given === undefined) mistakes.push(`--${name} is missing.`);
    return given ?? "";
  };
  const time = (name: "timeout" | "connect-wait" | "trouble", otherwise: string) => {
    const written = values[name] ?? otherwise;
    const milliseconds = parseDuration(written);
    if (milliseconds === undefined) mistakes.push(`--${name} is "${written}", and must be a time such as 5s or 1h30m.`);
    return { milliseconds: milliseconds ?? 0, text: written };
  };
  const { auth = "password" } = values;
  if (auth !== "password" && auth !== "iam") mistakes.push(`--auth is "${auth}", and must be password or iam.`);
  const connection = connectionPlace(undefined, environment);
  if (!connection) mistakes.push("There is no connection: set DATABASE_URL, DATABASE_URL_FILE or PGHOST.");
  // A Secret that was made of a file ends in a line break, which a header must not have.
  const key = environment[NEON_KEY_VARIABLE]?.trim() ?? "";
  if (key === "") mistakes.push(`There is no API key: set ${NEON_KEY_VARIABLE}.`);
  const options: BranchOptions = {
    project: required("neon-project"),
    parent: values.parent,
    endpoint: environment[LOCAL_NEON_VARIABLE] ?? values.endpoint ?? NEON_API,
    key,
    name: required("name"),
    stackProject: required("project"),
    stack: required("stack"),
    app: required("app"),
    release: environment["RELEASE_ID"] || undefined,
    fingerprint: required("fingerprint"),
    lastMigration: values["last-migration"],
    timeout: time("timeout", "3h"),
    connectWait: time("connect-wait", "10s").milliseconds,
    trouble: time("trouble", `${TROUBLE_MS / 1000}s`).milliseconds,
    connection: connection ?? { form: "url", url: "" },
    auth: auth === "iam" ? "iam" : "password",
    parameters: parametersOf(values.parameter ?? [], mistakes),
    rootCertificate: environment["PGSSLROOTCERT"],
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return options;
}

function parametersOf(given: readonly string[], mistakes: string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((each) => {
      const at = each.indexOf("=");
      if (at < 1) mistakes.push(`--parameter ${each} must have the form KEY=TEXT.`);
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true });
  } catch (error) {
    throw new UsageFailure([(error as Error).message]);
  }
}
