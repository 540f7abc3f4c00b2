import { BadUrl, type ConnectionForm } from "../failures/connection";
import { readTls, TLS_PARAMETERS, type TlsSettings } from "./tls-options";

/** How a session logs in: by the password of the connection, or by a token of AWS IAM. */
export type Authentication = "password" | "iam";

/** The server and database to connect to, read from a connection string by Prisma's rules. */
export interface Target extends TlsSettings {
  /** The connection string, with the password in it. */
  readonly url: string;
  /** How the connection was given. A string that was made of other values is not the place to correct a mistake. */
  readonly form: ConnectionForm;
  readonly auth: Authentication;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The schema in which Prisma keeps its tables and `_prisma_migrations`; default `public`. */
  readonly schema: string;
  /** True if the connection string contains `pgbouncer=true`. */
  readonly pooled: boolean;
  /** The longest time to connect, in milliseconds; 0: no limit. The default is 5 s, as in Prisma. */
  readonly connectTimeout: number;
  /** The parameter `options`: settings for the session, such as `-c name=value`; default: none. */
  readonly options: string | undefined;
  readonly applicationName: string | undefined;
  /** Lines for the log about parameters and values that are unknown and therefore ignored. */
  readonly remarks: readonly string[];
}

/** The parameters that steer Prisma's own connection pool, and have no meaning for one connection. */
const POOL_PARAMETERS = new Set([
  "connection_limit",
  "pool_timeout",
  "statement_cache_size",
  "max_connection_lifetime",
  "max_idle_connection_lifetime",
  "socket_timeout",
  "channel_binding",
  "single_use_connections",
]);

/**
 * Reads a connection string with the rules of Prisma (prisma-engines, quaint/src/connector/postgres/url.rs): the same
 * defaults, percent-encoding, `host=` for sockets, `schema=`, `sslmode=`, `sslcert=`, `sslidentity=`, `sslaccept=`,
 * `options=`, … In addition it reads `sslrootcert=` and `sslmode=verify-ca|verify-full` as libpq does.
 * @param options.rootCertificate the value of PGSSLROOTCERT, the file of the authorities if the string names none
 * @param options.auth how to log in; by IAM only with TLS
 * @param options.form how the connection was given, if this string was made of something else
 * @throws BadUrl, which never repeats the string
 */
export function parseUrl(
  text: string,
  {
    rootCertificate,
    auth = "password",
    form = "url",
  }: { rootCertificate?: string | undefined; auth?: Authentication; form?: ConnectionForm } = {},
): Target {
  const url = parse(text, form);
  const query = new Map(url.searchParams);
  const problems: string[] = [];
  const number = (name: string, otherwise: number): number => {
    const value = query.get(name);
    if (value === undefined) return otherwise;
    if (/^\d{1,9}$/.test(value)) return Number(value);
    problems.push(`The parameter ${name} of the connection must be a whole number.`);
    return otherwise;
  };
  const connectTimeout = number("connect_timeout", 5) * 1000;
  for (const name of ["connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size"]) number(name, 0);
  const pooled = query.get("pgbouncer") ?? "false";
  if (pooled !== "true" && pooled !== "false")
    problems.push('The parameter pgbouncer of the connection must be "true" or "false".');
  const remarks: string[] = [];
  const tls = readTls(query, rootCertificate, { shown, problems, remarks });
  if (auth === "iam" && (tls.tlsMode === "disable" || tls.tlsMode === "prefer"))
    problems.push(
      `A login by IAM needs TLS, so sslmode of the connection must be verify-full, verify-ca or require, and not ${tls.tlsMode}.`,
    );
  if (problems.length > 0) throw new BadUrl(problems, form);
  const password = decode(url.password);
  if (password !== password.trim())
    remarks.push(
      "The password begins or ends with a space or a line break, which is used as a part of it: is that so on purpose?",
    );

  const known = new Set([
    ...["schema", "host", "pgbouncer", "connect_timeout", "options", "application_name"],
    ...TLS_PARAMETERS,
  ]);
  for (const name of query.keys())
    if (!known.has(name) && !POOL_PARAMETERS.has(name))
      remarks.push(
        `The connection has the parameter ${shown(name)}, which neither Prisma nor this program knows; it is ignored.`,
      );

  return {
    url: text,
    form,
    auth,
    host: query.get("host") ?? hostOf(url),
    port: url.port === "" ? 5432 : Number(url.port),
    user: decode(url.username),
    password,
    database: decode(url.pathname.split("/")[1] ?? "") || "postgres",
    schema: query.get("schema") ?? "public",
    ...tls,
    pooled: pooled === "true",
    connectTimeout,
    options: query.get("options"),
    applicationName: query.get("application_name"),
    remarks,
  };
}

/** Returns the connection string with another server in it. A string that is no URL stays as it is, to be refused. */
export function withServer(text: string, { host, port }: { host: string; port: number }): string {
  try {
    const url = new URL(text.trim());
    url.host = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    url.searchParams.delete("host");
    return url.href;
  } catch {
    return text;
  }
}

/** Returns the connection string with another database in it. A string that is no URL stays as it is, to be refused. */
export function withDatabase(text: string, database: string): string {
  try {
    const url = new URL(text.trim());
    url.pathname = `/${encodeURIComponent(database)}`;
    return url.href;
  } catch {
    return text;
  }
}

/** Describes the database for messages; user and password are left out. */
export function describeTarget(target: Target): string {
  const place = target.host.startsWith("/") ? `${target.host} (port ${target.port})` : `${target.host}:${target.port}`;
  return `database "${target.database}" on ${place}`;
}

const EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE";

/**
 * Patterns of strings that people give in place of a URL, each with its explanation for the message. The message never
 * repeats the string itself.
 */
const NO_URLS: readonly [pattern: RegExp, what: string][] = [
  [/^["'`]/, "stands in quotes, which belong to the file or shell that it comes from; leave them out"],
  [/^(DATABASE_URL|DIRECT_URL|url)\s*=/i, "begins with the name of its variable; leave that and the = out"],
  [/^\w+\s*=/, `is a list of key=value, as libpq takes it; write it as ${EXAMPLE}`],
  [/^psql\b/, `is a command of psql; only its URL is needed, ${EXAMPLE}`],
  [/\$\{\w+\}|^\$|^env\(|^%\w+%$/, "holds a variable that nobody has filled in"],
  [/^jdbc:/i, `is one of JDBC's; write it as ${EXAMPLE}`],
  [
    /^prisma(\+postgres)?:/i,
    "is one of Prisma Accelerate or of `prisma dev`, which can't apply migrations; give the database's own",
  ],
  [
    /^(mysql|mariadb|sqlserver|mongodb(\+srv)?|sqlite|file|cockroachdb|redis|https?):/i,
    "is one of another kind of server; only postgresql:// can be released here",
  ],
  [/^postgres(ql)?:\/?[^/]/i, `has too few slashes after its scheme; write it as ${EXAMPLE}`],
  [/^postgres(ql)?\+\w+:/i, `names a driver after its scheme; write it as ${EXAMPLE}`],
];

function parse(text: string, form: ConnectionForm): URL {
  const refuse = (problem: string): never => {
    throw new BadUrl([problem], form);
  };
  const given = text.trim();
  if (given === "") refuse("The connection string is empty.");
  const mistaken = NO_URLS.find(([pattern]) => pattern.test(given));
  if (mistaken) refuse(`The connection string ${mistaken[1]}.`);
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return refuse(
      `The connection string is not a URL such as ${EXAMPLE}; characters like # / ? @ in a password must be percent-encoded.`,
    );
  }
  if (url.protocol !== "postgresql:" && url.protocol !== "postgres:")
    refuse(`The connection string must begin with postgresql:// or postgres://, as in ${EXAMPLE}.`);
  // If a password contains # or / or ?, the host ends too early, and the rest is read as database, parameter or
  // fragment.
  const behind = [url.pathname, ...url.searchParams.keys(), url.hash];
  if (behind.some((part) => part.includes("@")) || url.hash !== "")
    refuse(
      "The connection string has an @ or # where the database or a parameter should be: characters like # / ? @ in a password, or in the name of the database, must be percent-encoded.",
    );
  return url;
}

/** Returns a word of the string for a message; anything that could be a part of a password is not shown. */
function shown(word: string): string {
  return /^[\w./-]{1,200}$/.test(word) ? word : "(not shown)";
}

function hostOf(url: URL): string {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // The host may be the directory of a socket, as in libpq.
  if (/^%2f/i.test(host)) return decode(host);
  return host === "" ? "localhost" : host;
}

/**
 * Decodes percent-encoding as Rust's percent_decode does: what is not encoded is kept, and text that isn't UTF-8 stays
 * as it is.
 */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    return text;
  }
}
