import { Failure, UNTOUCHED } from "../../migrator/failures/failure";

/** A failure to read a dump back. */
abstract class ReadingFailure extends Failure {
  override readonly exit = 7;

  constructor(what: string, next: string) {
    super({ what, database: UNTOUCHED, next: `${next}, then: {rerun}` });
  }
}

/** There is no complete dump of this name. */
export class NoSuchDump extends ReadingFailure {
  override readonly code = "no-such-dump";

  constructor(location: string) {
    super(
      `There is no dump ${location}: its manifest is missing, or of a version that this program doesn't know.`,
      "correct the name; the output `backup` of the stack has it",
    );
  }
}

/** The file with the private key can't be used. */
export class NoIdentity extends ReadingFailure {
  override readonly code = "no-identity";

  constructor(reason: string) {
    super(
      `The file with the private key of age can't be used: ${reason}.`,
      "give the file that age-keygen wrote, with a line AGE-SECRET-KEY-1…",
    );
  }
}

/** None of the private keys belongs to a public key that the dump is encrypted to. */
export class WrongIdentity extends ReadingFailure {
  override readonly code = "wrong-identity";

  constructor(location: string, recipients: readonly string[]) {
    super(
      `The private key is not one of those that the dump ${location} is encrypted to: ${recipients.join(", ")}.`,
      "give the file with the private key of one of these public keys",
    );
  }
}

/** The dump is not what was stored: it is cut off, or its bytes have changed. */
export class DumpDamaged extends ReadingFailure {
  override readonly code = "dump-damaged";

  constructor(location: string, reason: string) {
    super(
      `The dump ${location} is damaged: ${reason}. What was read of it must not be used.`,
      "use another dump, or an earlier version of this object if the store keeps versions",
    );
  }
}
