import { LoginRefused, Unreachable } from "../failures/connection";
import type { Failure } from "../failures/failure";
import { tlsRefusal } from "./tls-refusal";
import { describeTarget, type Target } from "./url";

/**
 * What a person can do about a refused login, by the server's message. The first pattern that fits counts. Amazon RDS
 * refuses logins without TLS by pg_hba.conf, if its parameter rds.force_ssl is 1.
 */
const ADVICE: readonly [message: RegExp, next: string][] = [
  [
    /no pg_hba\.conf entry .*(no encryption|SSL off)/,
    "say sslmode=verify-full (or require) in the connection string: the server lets this user in by TLS only, or not from this address",
  ],
  [
    /no pg_hba\.conf entry/,
    "have pg_hba.conf of the server (or its firewall rules) let this user in from this address, with or without TLS as the message says",
  ],
  [
    /valid client certificate|certificate authentication failed/,
    "name a client certificate for this user with sslidentity= and sslpassword= in the connection string (PKCS#12)",
  ],
  [
    /too many (connections|clients)|remaining connection slots|connection limit/,
    "end sessions that are not needed, or raise max_connections or the CONNECTION LIMIT of the role or database",
  ],
];

/** Explains why there is no connection: TLS, the login, or no answer at all. */
export async function refusedConnection(error: unknown, target: Target): Promise<Failure> {
  const refused = await tlsRefusal(error, target);
  if (refused) return refused;
  const where = describeTarget(target);
  const { code = "", message } = error as { code?: string; message: string };
  const refusedByServer = /^28|^3D000|^42501|^53300/.test(code);
  if (refusedByServer || (code === "" && /password|SASL|SCRAM/i.test(message)))
    return new LoginRefused(where, message, {
      next: ADVICE.find(([pattern]) => pattern.test(message))?.[1],
      cause: error,
    });
  if (message === "timeout expired")
    return new Unreachable(where, `no answer within ${target.connectTimeout / 1000} s (connect_timeout)`, error);
  return new Unreachable(
    where,
    code === "" || message.includes(code) ? message || "no answer" : `${message} (${code})`,
    error,
  );
}
