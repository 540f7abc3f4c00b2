import { escapeIdentifier } from "pg";
import { formatDuration } from "../../text/short-duration";
import { LoginRefused, Unreachable } from "../failures/connection";
import { Failure } from "../failures/failure";
import { isRdsHost } from "./amazon-authorities";
import { signingRegion } from "./iam-token";
import { tlsRefusal } from "./tls-refusal";
import { describeTarget, type Target } from "./url";

/**
 * What a person can do about a refused login, by the server's message. The first pattern that fits counts. Amazon RDS
 * refuses logins without TLS by pg_hba.conf, if its parameter rds.force_ssl is 1.
 */
const ADVICE: readonly [message: RegExp, next: string][] = [
  [
    /no pg_hba\.conf entry .*(no encryption|SSL off)/,
    "say sslmode=verify-full (or require) in the connection string or in database.parameters: the server lets this user in by TLS only, or not from this address",
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

/**
 * Explains why there is no connection: TLS, the login, or no answer at all.
 * @param waited the time, in milliseconds, since the first try
 */
export async function refusedConnection(error: unknown, target: Target, waited: number): Promise<Failure> {
  if (error instanceof Failure) return error;
  const refused = await tlsRefusal(error, target);
  if (refused) return refused;
  const where = describeTarget(target);
  const { code = "", message } = error as { code?: string; message: string };
  if (/PAM authentication failed|IAM authentication/i.test(message)) return iamRefused(message, target, error);
  const refusedByServer = /^28|^3D000|^42501|^53300/.test(code);
  if (refusedByServer || (code === "" && /password|SASL|SCRAM/i.test(message)))
    return new LoginRefused(where, message, {
      form: target.form,
      next: ADVICE.find(([pattern]) => pattern.test(message))?.[1],
      cause: error,
    });
  const silent = message === "timeout expired" || code === "ETIMEDOUT";
  const reason = silent
    ? `no answer within ${target.connectTimeout / 1000} s (connect_timeout)`
    : code === "" || message.includes(code)
      ? message || "no answer"
      : `${message} (${code})`;
  const tried = waited < 1000 ? "" : `, tried again for ${formatDuration(waited)}`;
  return new Unreachable(where, reason + tried, { next: silent ? silence(target) : undefined, cause: error });
}

/** Explains a refusal by PAM, through which RDS checks tokens. The server doesn't say what of it was wrong. */
function iamRefused(message: string, target: Target, cause: unknown): LoginRefused {
  const { user, host, auth, form } = target;
  const role = escapeIdentifier(user);
  if (auth === "password")
    return new LoginRefused(describeTarget(target), message, {
      next: `log in by IAM (setting database.auth: iam, by hand --auth iam), because the role ${user} has rds_iam; or take that from it: REVOKE rds_iam FROM ${role}`,
      form,
      cause,
    });
  const region = signingRegion(host) ?? "REGION";
  return new LoginRefused(describeTarget(target), message, {
    detail: [
      "RDS doesn't say what it misses. One of these is not so:",
      `  - the role may log in by IAM: GRANT rds_iam TO ${role};`,
      `  - the pod's IAM role allows rds-db:connect on arn:aws:rds-db:${region}:ACCOUNT:dbuser:RESOURCE/${user},`,
      "    where RESOURCE is the DbiResourceId (db-…), of Aurora the DbClusterResourceId (cluster-…)",
      "  - IAM authentication is on: aws rds modify-db-instance --enable-iam-database-authentication",
      "  - the clocks of node and server differ by less than 15 minutes",
    ],
    next: "correct that one",
    form,
    cause,
  });
}

/** What to do about a server that doesn't answer at all: mostly a firewall drops what is sent to it. */
function silence({ host }: Target): string {
  return isRdsHost(host)
    ? "see that the database is available and that its security group lets this network in; if Aurora was paused, wait longer for it (setting migrations.connectWait, by hand --connect-wait)"
    : "see that the server runs and that no firewall or NetworkPolicy stops this network; if it takes long to start, wait longer for it (setting migrations.connectWait, by hand --connect-wait)";
}
