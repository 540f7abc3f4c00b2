/** The prefix of the public keys that age calls native X25519 recipients (https://age-encryption.org/v1). */
const PREFIX = "age";

/** The characters of Bech32 in the order of their values (BIP 173). */
const CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** The constants of Bech32's checksum (BIP 173). */
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** The number of characters behind `age1`: a key of 32 bytes in 52 characters of 5 bits, and a checksum of 6. */
const LENGTH = 58;

/** The keys of people that age encrypts to, as error messages describe them. */
export const RECIPIENT_ALLOWED =
  "a public key of age with the right checksum, age1 and 58 more characters, as `age-keygen` prints it";

/** Whether a text is a public X25519 key of age, with its checksum. */
export function isAgeRecipient(text: string): boolean {
  if (!text.startsWith(`${PREFIX}1`) || text.length !== PREFIX.length + 1 + LENGTH) return false;
  const values = [...text.slice(PREFIX.length + 1)].map((each) => CHARACTERS.indexOf(each));
  if (values.includes(-1)) return false;
  const prefix = [...PREFIX].map((each) => each.charCodeAt(0));
  return checksum([...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...values]) === 1;
}

function checksum(values: readonly number[]): number {
  return values.reduce((sum, value) => {
    const shifted = ((sum & 0x1ffffff) << 5) ^ value;
    return GENERATOR.reduce((at, constant, bit) => ((sum >> (25 + bit)) & 1 ? at ^ constant : at), shifted);
  }, 1);
}
