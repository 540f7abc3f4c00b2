import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** The default of Postgres' setting `scram_iterations`. */
const ITERATIONS = 4096;

/**
 * Computes the verifier that Postgres stores for a password (RFC 5802; PostgreSQL, scram-common.c,
 * `scram_build_secret`). The server can check the password with it, but it can't be used to log in.
 * @param password ASCII text, which SASLprep does not change
 */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
