import { Failure, UNTOUCHED } from "./failure";

/** There is no usable connection string. The string itself is never part of the message. */
export class BadUrl extends Failure {
  override readonly code = "bad-url";
  override readonly exit = 2;

  constructor(problems: readonly string[]) {
    super({
      what: problems.length === 1 ? problems[0]! : "The connection string can't be used.",
      detail: problems.length === 1 ? undefined : problems.map((problem) => `  ${problem}`),
      database: "not connected to; nothing was changed.",
      next: "correct the connection string (the Secret's key that holds the direct URL; by hand DATABASE_URL), then: {rerun}",
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

  /** @param next what to do; default: correct the connection string */
  constructor(where: string, reason: string, { next, cause }: { next?: string | undefined; cause?: unknown } = {}) {
    super(
      {
        what: `${where} refused the login: ${reason}`,
        database: UNTOUCHED,
        next: `${next ?? "correct user, password or database name in the connection string"}, then: {rerun}`,
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
   * @param why why no migration may go through it
   * @param direct the server's own address, if it is known
   */
  constructor(evidence: string, { why, direct }: { why?: string | undefined; direct?: string | undefined } = {}) {
    super({
      what: `The connection goes through a pooler (${evidence}), ${why ?? "where the migration lock may not hold"}.`,
      database: UNTOUCHED,
      next: `give the direct URL of the server (the Secret's migration key; by hand DIRECT_URL)${direct ? `, which has ${direct}` : ""}, then: {rerun}`,
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
        next: "give the connection string of the primary (of a cluster: the writer endpoint), then: {rerun}",
      },
      { cause },
    );
  }
}
