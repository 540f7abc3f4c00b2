import { Failure } from "../../migrator/failures/failure";
import type { RestoreEnd } from "../restoring/state";

/** A failure to restore a dump into a second database. The source is never changed. */
abstract class RestoringFailure extends Failure {
  override readonly exit = 7;

  constructor(what: string, state: string, next: string, detail?: readonly string[]) {
    super({ what, detail, database: `the source is untouched; ${state}.`, next: `${next}, then: {rerun}` });
  }
}

const NOTHING = "no second database was made";

/** The role may not create a database. */
export class CreateDatabaseRefused extends RestoringFailure {
  override readonly code = "no-createdb";

  constructor(role: string, reason: string) {
    super(
      `The migration's role ${role} can't create a database beside the source: ${reason}.`,
      NOTHING,
      `have an administrator run ALTER ROLE ${role} CREATEDB, or make an empty database and a Secret with its URL, and add --into SECRET/KEY`,
    );
  }
}

/** The name is that of a database that is no copy of this dump. */
export class CopyNameTaken extends RestoringFailure {
  override readonly code = "copy-name-taken";

  constructor(name: string) {
    super(
      `There is another database ${name}, which is not a copy of this dump.`,
      NOTHING,
      "choose another --name, or leave it out",
    );
  }
}

/** The database of `--into` has something in it already, or it is the stack's own. */
export class TargetNotEmpty extends RestoringFailure {
  override readonly code = "target-not-empty";

  constructor(name: string, reason: string) {
    super(
      `The database ${name} of --into can't take the dump: ${reason}.`,
      "nothing was written to it",
      "give the Secret of an empty database",
    );
  }
}

/** There is no copy of that name. */
export class NoSuchCopy extends RestoringFailure {
  override readonly code = "no-such-copy";

  constructor(name: string, reason: string) {
    super(`${name} is not removed: ${reason}.`, "nothing was removed", "see `list` for the copies that there are");
  }
}

/** Somebody uses the copy. */
export class CopyInUse extends RestoringFailure {
  override readonly code = "copy-in-use";

  constructor(name: string, sessions: readonly string[]) {
    super(
      `${name} is not removed, because it is in use.`,
      `${name} stays as it is`,
      "end what uses it, or add --unprotect, which ends its sessions",
      sessions,
    );
  }
}

/** The client is older than the one that made the archive. */
export class RestoreClientTooOld extends RestoringFailure {
  override readonly code = "restore-client-too-old";

  constructor(image: string, client: string, needed: string, end: RestoreEnd) {
    super(
      `The archive was made by pg_dump ${needed}, and pg_restore of ${image} is ${client}: it can't read it.`,
      end.state,
      "set backup.image to an image of that version or newer",
    );
  }
}

/** The image has no `pg_restore`. */
export class RestoreClientMissing extends RestoringFailure {
  override readonly code = "restore-client-missing";

  constructor(image: string) {
    super(`The image ${image} has no pg_restore.`, NOTHING, "set backup.image to a stock image of Postgres");
  }
}

/** The server has no room for the second database. */
export class ServerFull extends RestoringFailure {
  override readonly code = "server-full";

  constructor(detail: readonly string[], end: RestoreEnd) {
    super(
      "The server has no room left for a second database.",
      end.state,
      "give the server more storage, or restore into a database of another server by --into SECRET/KEY",
      detail,
    );
  }
}

/** The server, the role or the database allows no further connection. */
export class RestoreConnectionsUsed extends RestoringFailure {
  override readonly code = "restore-connections-used";

  constructor(detail: readonly string[], end: RestoreEnd) {
    super(
      "The server had no connection left for pg_restore.",
      end.state,
      "end sessions that nobody needs, or raise the limit of the server or of the role",
      detail,
    );
  }
}

/** An extension can't be made by this role, and something of the dump needs it. */
export class ExtensionRefused extends RestoringFailure {
  override readonly code = "extension-refused";

  constructor(extensions: readonly string[], detail: readonly string[], end: RestoreEnd) {
    super(
      `What the dump has needs ${extensions.length === 1 ? "an extension" : "extensions"} that this role can't create: ${extensions.join(", ")}.`,
      end.state,
      "have an administrator make an empty database with CREATE EXTENSION in it and a Secret with its URL, and add --into SECRET/KEY",
      detail,
    );
  }
}

/** The connection of `pg_restore` broke before the end. */
export class RestoreConnectionLost extends RestoringFailure {
  override readonly code = "restore-connection-lost";

  constructor(detail: readonly string[], end: RestoreEnd) {
    super(
      "The connection of pg_restore broke before the end.",
      end.state,
      "see whether the server was restarted",
      detail,
    );
  }
}

/** `pg_restore` failed for another reason. */
export class RestoreFailed extends RestoringFailure {
  override readonly code = "restore-failed";

  constructor(detail: readonly string[], end: RestoreEnd) {
    super("pg_restore could not restore all of the dump.", end.state, "see to what it says", detail);
  }
}

/** The container of `pg_restore` ended without a status. */
export class RestoreVanished extends RestoringFailure {
  override readonly code = "restore-vanished";

  constructor(seconds: number, end: RestoreEnd) {
    super(
      `pg_restore ended without a word: its container was killed, or didn't answer for ${seconds} s.`,
      end.state,
      "see the events of the Job's pod, and give it more memory (migrations.resources) if that was the reason",
    );
  }
}

/** The restore took too long. */
export class RestoreTooSlow extends RestoringFailure {
  override readonly code = "restore-too-slow";

  constructor(timeout: string, end: RestoreEnd) {
    super(`The restore took longer than ${timeout}.`, end.state, "allow it more by --timeout");
  }
}

/** Another run restores the same copy, or a server's process of one that was killed has not ended yet. */
export class RestoreBusy extends RestoringFailure {
  override readonly code = "restore-busy";

  constructor(name: string) {
    super(
      `Another restore of this database is running, and did not end within a minute (copy ${name}).`,
      "what that restore makes goes on",
      "wait for it",
    );
  }
}

/** Postgres refused a statement of the restoring program. */
export class RestoreQueryRefused extends RestoringFailure {
  override readonly code = "restore-query-refused";

  constructor(reason: string, end: RestoreEnd) {
    super(`Postgres refused a statement beside pg_restore: ${reason}.`, end.state, "see to what it says");
  }
}
