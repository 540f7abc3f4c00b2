import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** Postgres' own default, `scram_iterations`. */
const ITERATIONS = 4096;

/**
 * What Postgres keeps of a password (RFC 5802; PostgreSQL, scram-common.c, `scram_build_secret`): with it the server can
 * check the password, and nobody can log in with it.
 * @param password ASCII, which SASLprep leaves as it is
 */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
