import { Failure, UNTOUCHED } from "../../migrator/failures/failure";

/** A failure of the store for dumps. All of them end the release before the migration. */
abstract class StoreFailure extends Failure {
  override readonly exit = 7;

  constructor(what: string, next: string, cause?: unknown) {
    super({ what, database: UNTOUCHED, next: `${next}, then: {rerun}` }, { cause });
  }
}

/** The store doesn't accept the credentials, or they don't allow what a dump needs. */
export class StoreRefused extends StoreFailure {
  override readonly code = "store-refused";

  constructor(title: string, reason: string, cause?: unknown) {
    super(
      `Access to ${title} was refused: ${reason}.`,
      "correct the Secret that backup.dump.secret names, or the rights of the pod's identity (docs/backup.md lists them)",
      cause,
    );
  }
}

/** There are no credentials for the store. */
export class NoStoreCredentials extends StoreFailure {
  override readonly code = "no-store-credentials";

  constructor(title: string, reason: string, cause?: unknown) {
    super(
      `There are no credentials for ${title}: ${reason}.`,
      "name a Secret with them in backup.dump.secret, or give migrations.serviceAccount an IAM role",
      cause,
    );
  }
}

/** The bucket or the volume is not there. */
export class StoreMissing extends StoreFailure {
  override readonly code = "store-missing";

  constructor(title: string, reason: string, cause?: unknown) {
    super(`There is no ${title}: ${reason}.`, "make it, or correct backup.dump (to or claim, region, endpoint)", cause);
  }
}

/** The store has no room left. What was written of the dump is removed. */
export class StoreFull extends StoreFailure {
  override readonly code = "store-full";

  constructor(title: string, reason: string, cause?: unknown) {
    super(
      `The dump was not stored, because ${title} is full: ${reason}.`,
      "make room there, or raise its quota or the size of the volume",
      cause,
    );
  }
}

/** The store can't be reached, or stopped answering. */
export class StoreUnreachable extends StoreFailure {
  override readonly code = "store-unreachable";

  constructor(title: string, reason: string, cause?: unknown) {
    super(
      `No connection to ${title}: ${reason}.`,
      "see that backup.dump.endpoint and .region are right, and that the pod may reach the store",
      cause,
    );
  }
}

/** The store answered with an error of another kind. */
export class StoreFailed extends StoreFailure {
  override readonly code = "store-failed";

  constructor(title: string, reason: string, cause?: unknown) {
    super(`An error of ${title} ended the dump: ${reason}.`, "see to what it says", cause);
  }
}

/** What the store has is not what was written. It is removed. */
export class StoredDifferently extends StoreFailure {
  override readonly code = "stored-differently";

  constructor(location: string, reason: string) {
    super(
      `The stored dump ${location} is not what was written: ${reason}. It was removed.`,
      "see whether the store or the network to it is damaged",
    );
  }
}
