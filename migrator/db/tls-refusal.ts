import { X509Certificate } from "node:crypto";
import { TlsFailure } from "../failures/connection";
import { bundleUrl, isRdsHost, regionOf } from "./amazon-authorities";
import { serverCertificates } from "./server-certificate";
import { describeTarget, type Target } from "./url";

/** The codes with which Node refuses a certificate because nobody it trusts has signed it. */
const UNKNOWN_AUTHORITY = /^(UNABLE_TO_|SELF_SIGNED_CERT_IN_CHAIN)/;

/** The other codes that concern a certificate (Node.js documentation, "X509 certificate error codes"). */
const OTHER = /^(CERT_|CRL_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH|ERR_(SSL|OSSL|TLS)_|EPROTO)/;

/** Why a connection by TLS was refused, and what a person can do about it. */
interface Refusal {
  readonly reason: string;
  readonly next: string;
}

/**
 * Explains why no TLS connection came about. The server is asked for its certificate once more, so that the message can
 * name it.
 * @returns undefined if the error has nothing to do with TLS
 */
export async function tlsRefusal(error: unknown, target: Target, now = new Date()): Promise<TlsFailure | undefined> {
  const { code = "", message } = error as { code?: string; message: string };
  const refused = (refusal: Refusal) =>
    new TlsFailure(
      describeTarget(target),
      code === "" ? refusal.reason : `${refusal.reason} (${code})`,
      refusal.next,
      error,
    );
  if (/does not support SSL/.test(message)) return refused(noTls(target));
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return refused(otherName(await serverCertificates(target), target));
  if (UNKNOWN_AUTHORITY.test(code)) return refused(unknownAuthority(await serverCertificates(target), target));
  if (code === "DEPTH_ZERO_SELF_SIGNED_CERT") return refused(selfSigned(target));
  if (code === "CERT_HAS_EXPIRED") return refused(expired(await serverCertificates(target), target, now));
  if (code === "CERT_NOT_YET_VALID") return refused(notYetValid(await serverCertificates(target), now));
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_PROTOCOLS/.test(code))
    return refused({
      reason: `the server and this program have no version of TLS and no cipher in common: ${message}`,
      next: "let the server offer TLS 1.2 or later (ssl_max_protocol_version, ssl_ciphers)",
    });
  if (OTHER.test(code))
    return refused({
      reason: `the server's certificate can't be used: ${message}`,
      next: "have another certificate issued for the server",
    });
  return undefined;
}

function noTls({ tlsMode }: Target): Refusal {
  return {
    reason: `the server offers no TLS, and sslmode=${tlsMode} asks for it`,
    next: "switch TLS on in the server (ssl = on), or say sslmode=prefer in the connection string or in database.parameters, which goes without",
  };
}

function otherName([own]: X509Certificate[], { host }: Target): Refusal {
  const names = (own?.subjectAltName ?? "").split(", ").map((each) => each.replace(/^(DNS|IP Address):/, ""));
  const known = names.filter((each) => each !== "").slice(0, 5);
  const whose = known.length > 0 ? known.join(", ") : own ? nameOf(own.subject) : "another host";
  return {
    reason: `the server's certificate is for ${whose}, and the connection string says ${host}`,
    next: `write the host as the certificate has it into the connection string${known.length > 0 ? ` (${known[0]})` : ""}; sslmode=verify-ca trusts the authority under any name`,
  };
}

function unknownAuthority(chain: X509Certificate[], { host, authorities }: Target): Refusal {
  const last = chain.at(-1);
  const by = last ? ` by "${nameOf(last.issuer)}"` : "";
  const region = regionOf(host);
  if (authorities)
    return {
      reason: `the server's certificate is signed${by}, which is not in ${authorities.path} (${authorities.named})`,
      next: `put the certificate of that authority into ${authorities.named === "PGSSLROOTCERT" ? "the ConfigMap or Secret of the setting database.ca" : "that file"}`,
    };
  return {
    reason: `the server's certificate is signed${by}, which is none of the authorities of Node${isRdsHost(host) ? `, nor of Amazon's for ${region ?? "any region"} that this program knows` : ""}`,
    next: isRdsHost(host)
      ? `put ${bundleUrl(region)} into a ConfigMap and name it in the setting database.ca (by hand: sslrootcert=FILE in the connection string)`
      : "put the certificate of that authority into a ConfigMap and name it in the setting database.ca (by hand: sslrootcert=FILE in the connection string)",
  };
}

function selfSigned({ authorities }: Target): Refusal {
  return {
    reason: `the server's certificate is signed by itself, and is not ${authorities ? `in ${authorities.path} (${authorities.named})` : "among the authorities of Node"}`,
    next: "put this certificate into a ConfigMap and name it in the setting database.ca (by hand: sslrootcert=FILE in the connection string), or have one issued by an authority",
  };
}

function expired(chain: X509Certificate[], { host, authorities }: Target, now: Date): Refusal {
  const over = (each: X509Certificate) => new Date(each.validTo) < now;
  const [own] = chain;
  if (own && over(own))
    return {
      reason: `the server's certificate expired on ${dateOf(own.validTo)}`,
      next: isRdsHost(host)
        ? "give the instance a new one: aws rds modify-db-instance --db-instance-identifier ID --ca-certificate-identifier rds-ca-rsa2048-g1 --apply-immediately"
        : "renew the server's certificate (ssl_cert_file) and have the server read it (pg_ctl reload)",
    };
  const trusted = authorities?.certificates.map((each) => new X509Certificate(each)) ?? [];
  const authority = [...chain, ...trusted].find(over);
  return {
    reason: `the authority ${authority ? `"${nameOf(authority.subject)}" expired on ${dateOf(authority.validTo)}` : "of the server's certificate has expired"}`,
    next:
      authorities && authority && !chain.includes(authority)
        ? `put the authority's current certificate into ${authorities.path} (${authorities.named}; in a release the setting database.ca)`
        : "have the server's certificate issued by an authority that is still valid",
  };
}

function notYetValid(chain: X509Certificate[], now: Date): Refusal {
  const early = chain.find((each) => new Date(each.validFrom) > now);
  return {
    reason: `the server's certificate is valid only from ${early ? momentOf(new Date(early.validFrom)) : "later"} on, and the clock of this machine says ${momentOf(now)}`,
    next: "set the clock of this machine (of the Kubernetes node) right; if it is right, have the certificate issued anew",
  };
}

/** Returns the common name of a subject, or else its last part. */
function nameOf(subject: string): string {
  const parts = subject.split("\n");
  return (parts.find((part) => part.startsWith("CN=")) ?? parts.at(-1) ?? "").replace(/^[A-Z]+=/, "");
}

function dateOf(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}

function momentOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
