import { Decrypter } from "age-encryption";
import { readIdentities } from "../../backup/identities";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { Failure } from "../../migrator/failures/failure";

/** What is known of a dump's encryption. */
interface Encrypted {
  /** The place of the dump, for messages. */
  readonly location: string;
  /** The public keys that it is encrypted to. */
  readonly recipients: readonly string[];
  /** The head of the file in base64, which holds the file's key, encrypted to each of them. */
  readonly header: string;
}

/**
 * Decrypts the key of one dump's file by a private key of age. The private key goes nowhere else, and the key of the
 * file opens no other dump.
 *
 * @param path the file of the private key, as `age-keygen` writes it
 * @throws CommandFailure if the file can't be used, or is not one for this dump
 */
export async function fileKeyOf(
  { location, recipients, header }: Encrypted,
  path: string | undefined,
): Promise<Uint8Array> {
  const keys = recipients.join(", ");
  if (path === undefined)
    throw refused(
      `The dump ${location} is encrypted to ${keys}.`,
      "the same command with --identity FILE, the file of that private key",
    );
  const decrypter = new Decrypter();
  for (const identity of identitiesIn(path)) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(Buffer.from(header, "base64"));
  } catch (error) {
    const { message } = error as Error;
    if (/no identity matched/.test(message))
      throw refused(
        `The private key in ${path} is not one of those that the dump ${location} is encrypted to: ${keys}.`,
        "the same command with --identity FILE, the file of the private key of one of these",
      );
    throw refused(
      `The head of the dump ${location} is damaged, so its key can't be read.`,
      "the same command with --to, and another dump; or an earlier version of this object, if the store keeps versions",
    );
  }
}

function identitiesIn(path: string): string[] {
  try {
    return readIdentities(path);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw refused(error.message, "the same command with --identity FILE, the file that age-keygen wrote");
  }
}

function refused(what: string, next: string): CommandFailure {
  return new CommandFailure(EXIT.usage, what, "the source is untouched; no second database was made.", next);
}
