import type { ProtectingBackup } from "../settings";
import { Failure, otherVerb, UNTOUCHED } from "./failure";

type Named = Pick<ProtectingBackup, "kind" | "id">;

const FRESH = (kind: Named["kind"]) =>
  `raise the setting release.attempt by one, which ${kind === "snapshot" ? "takes" : "makes"} a fresh ${kind}, then: {rerun}`;

/** The command line is wrong. The failure lists every mistake at once. */
export class UsageFailure extends Failure {
  override readonly code = "usage";
  override readonly exit = 2;

  constructor(mistakes: readonly string[]) {
    super({
      what: mistakes.length === 1 ? mistakes[0]! : `${mistakes.length} mistakes on the command line.`,
      detail: mistakes.length === 1 ? undefined : mistakes.map((mistake) => `  ${mistake}`),
      database: "not connected to; nothing was changed.",
      next: otherVerb("help"),
    });
  }
}

/** The migrations can't be read, for example because the path is not a folder or a payload is truncated. */
export class UnreadableMigrations extends Failure {
  override readonly code = "unreadable-migrations";
  override readonly exit = 2;

  constructor(reason: string) {
    const [what, ...rest] = reason.split("\n");
    super({
      what: what!,
      detail: rest,
      database: "not connected to; nothing was changed.",
      next: "correct the migrations, then: {rerun}",
    });
  }
}

/** The backup that protects this release is too old to be relied on. */
export class SnapshotTooOld extends Failure {
  override readonly code = "snapshot-too-old";
  override readonly exit = 7;

  constructor({ kind, id }: Named, age: string, maxAge: string, pending: number) {
    super({
      what: `The ${kind} ${id} is ${age} old, and backup.maxAge allows ${maxAge}: going back to it would lose what was written since.`,
      database: `${UNTOUCHED} ${pending === 1 ? "One migration is" : `${pending} migrations are`} pending.`,
      next: FRESH(kind),
    });
  }
}

/** The connection leads to another database than the one that the snapshot was taken of. */
export class OtherDatabase extends Failure {
  override readonly code = "other-database";
  override readonly exit = 7;

  constructor(snapshot: string, evidence: readonly string[]) {
    super({
      what: `The snapshot ${snapshot} is of another database than the one that the connection string leads to.`,
      detail: evidence.map((line) => `  ${line}`),
      database: UNTOUCHED,
      next: "set database.identifier to the database behind the connection string, or correct the Secret, then: {rerun}",
    });
  }
}

/** The backup that is to protect this release was deleted. */
export class SnapshotGone extends Failure {
  override readonly code = "snapshot-gone";
  override readonly exit = 7;

  constructor({ kind, id }: Named, pending: number) {
    super({
      what: `There is no ${kind} ${id} any more: there would be no way back.`,
      database: `${UNTOUCHED} ${pending === 1 ? "One migration is" : `${pending} migrations are`} pending.`,
      next: FRESH(kind),
    });
  }
}
