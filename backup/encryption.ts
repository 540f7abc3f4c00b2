import { Decrypter, Encrypter, type Identity } from "age-encryption";

/**
 * Encrypts pieces of bytes to public keys of age (https://age-encryption.org/v1).
 *
 * @param recipients the public keys; if there are none, the pieces are returned as they are
 */
export async function encrypted(
  pieces: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): Promise<AsyncIterable<Uint8Array>> {
  if (recipients.length === 0) return pieces;
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(streamOf(pieces));
}

/**
 * Decrypts pieces of bytes with private keys of age.
 *
 * @param identities the private keys, or what else returns the key of a file
 * @throws Error with age's own message if no key fits, or the header is damaged. A damage further behind makes the
 *   returned iterable throw.
 */
export async function decrypted(
  pieces: AsyncIterable<Uint8Array>,
  identities: readonly (string | Identity)[],
): Promise<AsyncIterable<Uint8Array>> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  return decrypter.decrypt(streamOf(pieces));
}

function streamOf(pieces: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
