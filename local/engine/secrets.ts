import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readText, syncDirectory, writeSynced } from "../../text/atomic";

export interface StackKey {
  encrypt(plaintext: string): string;
  decrypt(ciphertext: string): string;
}

const keys = new Map<string, StackKey>();

/**
 * Opens the key that encrypts one stack's secrets: `state.key` (mode 0600) next to the state. With `create`, a missing
 * key is created, which happens when the first secret is written.
 * @throws Error when the state contains secrets but the key is missing or not valid
 */
export function openKey(directory: string, mode: "existing" | "create"): StackKey {
  const file = join(directory, "state.key");
  let text = readText(file);
  if (text === undefined && mode === "existing") {
    throw new Error(`${file} is missing: the secrets in state.json beside it can't be read without it`);
  }
  text ??= createKey(directory, file);
  const known = keys.get(text);
  if (known) return known;
  const bytes = Buffer.from(text.trim(), "base64");
  if (bytes.length !== 32) throw new Error(`${file} is not a key of this engine (32 bytes in base64)`);
  const key = aes(bytes);
  keys.set(text, key);
  return key;
}

/** Uses a hard link, which never overwrites a file: if two commands create the first key, both use the same one. */
function createKey(directory: string, file: string): string {
  mkdirSync(directory, { recursive: true });
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    writeSynced(temporary, `${randomBytes(32).toString("base64")}\n`, 0o600);
    linkSync(temporary, file);
    syncDirectory(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readText(file) as string;
}

/** Encrypts with AES-256-GCM. Equal texts keep their ciphertext, so that an unchanged state gives an unchanged file. */
function aes(bytes: Buffer): StackKey {
  const ciphertexts = new Map<string, string>();
  return {
    encrypt(plaintext) {
      const known = ciphertexts.get(plaintext);
      if (known !== undefined) return known;
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", bytes, nonce);
      const body = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
      const ciphertext = [nonce, cipher.getAuthTag(), body].map((part) => part.toString("base64")).join(":");
      ciphertexts.set(plaintext, ciphertext);
      return ciphertext;
    },
    decrypt(ciphertext) {
      const [nonce, tag, body] = ciphertext.split(":").map((part) => Buffer.from(part, "base64"));
      if (!nonce || !tag || !body) throw new Error("a secret in state.json is damaged");
      const decipher = createDecipheriv("aes-256-gcm", bytes, nonce);
      decipher.setAuthTag(tag);
      const plaintext = Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
      ciphertexts.set(plaintext, ciphertext);
      return plaintext;
    },
  };
}
