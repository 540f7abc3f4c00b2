import { Failure, UNTOUCHED } from "./failure";

/** How the connection is given: as a URL, as libpq's variables, or in a file. */
export type ConnectionForm = "url" | "parts" | "file";

/** What a person corrects, by the form in which the connection is given. */
interface Wording {
  /** The whole of the connection. */
  readonly all: string;
  readonly login: string;
  /** The way to the server that leads past a pooler. */
  readonly direct: string;
}

const WORDINGS: Readonly<Record<ConnectionForm, Wording>> = {
  url: {
    all: "the connection string (the Secret's key that holds the direct URL; by hand DATABASE_URL)",
    login: "user, password or database name in the connection string",
    direct: "the direct URL of the server (the Secret's migration key; by hand DIRECT_URL)",
  },
  parts: {
    all: "the values that database.secret and database.migration name (by hand the variables PG…)",
    login: "PGUSER, PGPASSWORD or PGDATABASE (the keys that database.secret and database.migration name)",
    direct: "host and port of the server itself (database.migration.host and .port; by hand PGHOST, PGPORT)",
  },
  file: {
    all: "what the file of the connection holds (database.file; by hand DATABASE_URL_FILE)",
    login: "user, password or database name in the file of the connection",
    direct: "host and port of the server itself (in the file; for JSON also database.migration.host and .port)",
  },
};

/** There is no usable connection string. The string itself is never part of the message. */
export class BadUrl extends Failure {
  override readonly code = "bad-url";
  override readonly exit = 2;

  constructor(problems: readonly string[], form: ConnectionForm = "url") {
    super({
      what: problems.length === 1 ? problems[0]! : `The connection${form === "url" ? " string" : ""} can't be used.`,
      detail: problems.length === 1 ? undefined : problems.map((problem) => `  ${problem}`),
      database: "not connected to; nothing was changed.",
      next: `correct ${WORDINGS[form].all}, then: {rerun}`,
    });
  }
}

/** The server can't be reached or doesn't answer in time. */
export class Unreachable extends Failure {
  override readonly code = "unreachable";
  override readonly exit = 3;

  /** @param next what to do; default: see that the server runs */
  constructor(where: string, reason: string, { next, cause }: { next?: string | undefined; cause?: unknown } = {}) {
    super(
      {
        what: `No connection to ${where}: ${reason}`,
        database: "not reached; nothing was changed.",
        next: `${next ?? "see that the server runs and that this network may reach it"}, then: {rerun}`,
      },
      { cause },
    );
  }
}

/** The server answered, but doesn't let this user in. */
export class LoginRefused extends Failure {
  override readonly code = "login-refused";
  override readonly exit = 3;

  /** @param options.next what to do; default: correct the login, where the connection has it */
  constructor(
    where: string,
    reason: string,
    {
      form = "url",
      detail,
      next,
      cause,
    }: {
      form?: ConnectionForm;
      detail?: readonly string[];
      next?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(
      {
        what: `${where} refused the login: ${reason}`,
        detail,
        database: UNTOUCHED,
        next: `${next ?? `correct ${WORDINGS[form].login}`}, then: {rerun}`,
      },
      { cause },
    );
  }
}

/** TLS could not be agreed on, or the server's certificate isn't the one that was asked for. */
export class TlsFailure extends Failure {
  override readonly code = "tls";
  override readonly exit = 3;

  constructor(where: string, reason: string, next: string, cause?: unknown) {
    super(
      { what: `No TLS connection to ${where}: ${reason}`, database: UNTOUCHED, next: `${next}, then: {rerun}` },
      { cause },
    );
  }
}

/** The connection broke while something ran: a restart, a failover, pg_terminate_backend, a network failure. */
export class ConnectionLost extends Failure {
  override readonly code = "connection-lost";
  override readonly exit = 3;

  constructor(reason: string, database: string, cause?: unknown) {
    super({ what: `The connection was lost: ${reason}`, database, next: "{rerun}" }, { cause });
  }
}

/**
 * The connection goes through a pooler. In a pooler's transaction mode locks that belong to a session don't hold, and
 * the mode can't be detected from outside.
 */
export class PoolerInBetween extends Failure {
  override readonly code = "pooler";
  override readonly exit = 3;

  /**
   * @param options.why why no migration may go through it
   * @param options.direct the server's own address, if it is known
   */
  constructor(
    evidence: string,
    {
      form = "url",
      why,
      direct,
    }: { form?: ConnectionForm; why?: string | undefined; direct?: string | undefined } = {},
  ) {
    super({
      what: `The connection goes through a pooler (${evidence}), ${why ?? "where the migration lock may not hold"}.`,
      database: UNTOUCHED,
      next: `give ${WORDINGS[form].direct}${direct ? `, which has ${direct}` : ""}, then: {rerun}`,
    });
  }
}

/** The connection leads to a replica, or to a database that is set to read-only transactions. */
export class ReadOnlyDatabase extends Failure {
  override readonly code = "read-only";
  override readonly exit = 3;

  constructor(reason: string, cause?: unknown) {
    super(
      {
        what: `The database can't be written to: ${reason}.`,
        database: UNTOUCHED,
        next: "give the connection to the primary (of a cluster: the writer endpoint), then: {rerun}",
      },
      { cause },
    );
  }
}
