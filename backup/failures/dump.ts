import { Failure, UNTOUCHED } from "../../migrator/failures/failure";

/** A failure of `pg_dump`, or of what is needed for it. All of them end the release before the migration. */
abstract class DumpFailure extends Failure {
  override readonly exit = 7;

  constructor(what: string, next: string, detail?: readonly string[]) {
    super({ what, detail, database: UNTOUCHED, next: `${next}, then: {rerun}` });
  }
}

/** The client is older than the server, which `pg_dump` refuses. */
export class ClientTooOld extends DumpFailure {
  override readonly code = "client-too-old";

  constructor(image: string, client: string, server: string, major: number) {
    super(
      `The server is Postgres ${server}, and pg_dump of ${image} is ${client}: it can't dump a newer server.`,
      `set backup.image to an image of Postgres ${major} or newer, such as postgres:${major}-alpine`,
    );
  }
}

/** The image has no `pg_dump`. */
export class ClientMissing extends DumpFailure {
  override readonly code = "client-missing";

  constructor(image: string, major: number) {
    super(
      `The image ${image} has no pg_dump.`,
      `set backup.image to a stock image of Postgres, such as postgres:${major}-alpine`,
    );
  }
}

/** Another session held a lock on a table for too long. */
export class DumpLockTimeout extends DumpFailure {
  override readonly code = "dump-lock-timeout";

  constructor(detail: readonly string[], timeout: string) {
    super(
      `pg_dump waited longer than ${timeout} for a table that another session has locked.`,
      "wait for that session to end, or raise backup.dump.lockTimeout",
      detail,
    );
  }
}

/** The server has no connection left for the role. */
export class NoConnectionLeft extends DumpFailure {
  override readonly code = "no-connection-left";

  constructor(detail: readonly string[]) {
    super(
      "The server had no connection left for pg_dump.",
      "end sessions that nobody needs, or raise the limit of the server or of the role",
      detail,
    );
  }
}

/** The role may not read everything that the dump must contain. */
export class DumpRightsMissing extends DumpFailure {
  override readonly code = "dump-rights";

  constructor(detail: readonly string[]) {
    super(
      "The migration's role may not read all that the dump must contain.",
      "grant it what pg_dump names (SELECT on the table; BYPASSRLS, or the ownership, for a table with row level security)",
      detail,
    );
  }
}

/** Postgres refused a query of the storing program, which reads sizes and the history, and records the dump. */
export class DumpQueryRefused extends DumpFailure {
  override readonly code = "dump-query-refused";

  constructor(reason: string) {
    super(`Postgres refused what is read and recorded beside the dump: ${reason}.`, "see to what it says");
  }
}

/** The connection of `pg_dump` broke before the end. */
export class DumpConnectionLost extends DumpFailure {
  override readonly code = "dump-connection-lost";

  constructor(detail: readonly string[]) {
    super(
      "The connection of pg_dump to the database broke before the end of the dump. What was stored of it is removed.",
      "see whether the server was restarted or failed over",
      detail,
    );
  }
}

/** The pod's own disk has no room for a parallel dump. */
export class ScratchFull extends DumpFailure {
  override readonly code = "scratch-full";

  constructor(detail: readonly string[]) {
    super(
      "The disk of the pod is full, on which a parallel dump is made before it is stored.",
      "give it more room (backup.dump.scratch), or leave backup.dump.jobs at 1, which needs no disk",
      detail,
    );
  }
}

/** `pg_dump` failed for another reason. */
export class DumpFailed extends DumpFailure {
  override readonly code = "dump-failed";

  constructor(status: number, detail: readonly string[]) {
    super(
      `pg_dump failed with exit status ${status}. What was stored of the dump is removed.`,
      "see to what it says",
      detail,
    );
  }
}

/** The container of `pg_dump` ended without a status: it was killed, for example for lack of memory. */
export class DumpVanished extends DumpFailure {
  override readonly code = "dump-vanished";

  constructor(seconds: number) {
    super(
      `pg_dump ended without a word: its container was killed, or didn't answer for ${seconds} s.`,
      "see the events of the Job's pod, and give it more memory (migrations.resources) if that was the reason",
    );
  }
}

/** The table of contents of the archive can't be read back. */
export class ContentsUnreadable extends DumpFailure {
  override readonly code = "contents-unreadable";

  constructor(reason: string, detail: readonly string[] = []) {
    super(
      `pg_restore can't read the dump's table of contents: ${reason}. What was stored of the dump is removed.`,
      "report it, with the versions of server and client",
      detail,
    );
  }
}

/** The dump took too long. */
export class DumpTooSlow extends DumpFailure {
  override readonly code = "dump-too-slow";

  constructor(timeout: string) {
    super(
      `The dump took longer than ${timeout} (backup.timeout). What was stored of it is removed.`,
      "raise backup.timeout, or choose a quieter time",
    );
  }
}

/** The connection logs in by a certificate in a form that libpq can't read. */
export class ClientCertificateUnusable extends DumpFailure {
  override readonly code = "client-certificate";

  constructor() {
    super(
      "The connection has sslidentity, a certificate in PKCS #12, which pg_dump can't read.",
      "give the migration's role a login by password (database.migration.secret), or use backup.mode: snapshot",
    );
  }
}
