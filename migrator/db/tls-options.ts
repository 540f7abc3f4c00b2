import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ConnectionOptions, rootCertificates } from "node:tls";
import { amazonAuthorities } from "./amazon-authorities";

/** The values of `sslmode`. `verify-ca` and `verify-full` are libpq's; Prisma itself supports only the other three. */
type TlsMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

const MODES: readonly string[] = ["disable", "prefer", "require", "verify-ca", "verify-full"] satisfies TlsMode[];

/** What the connection string and PGSSLROOTCERT say about TLS. */
export interface TlsSettings {
  readonly tlsMode: TlsMode;
  /** The options for `tls.connect`, without the authorities, which {@link trustedAuthorities} returns. */
  readonly tls: ConnectionOptions;
  /** The file of the only authorities that are trusted. Default: Node's own, and for RDS hosts Amazon's too. */
  readonly authorities: AuthorityFile | undefined;
}

/** A file of authorities, and where it is named. */
interface AuthorityFile {
  readonly path: string;
  readonly named: "sslrootcert" | "sslcert" | "PGSSLROOTCERT";
  readonly certificates: readonly string[];
}

/** The parameters of the connection string that are about TLS. */
export const TLS_PARAMETERS = ["sslmode", "sslcert", "sslidentity", "sslpassword", "sslaccept", "sslrootcert"];

/** The value with which `sslrootcert` means the authorities that the machine has, as in libpq 16. */
const SYSTEM = "system";

/**
 * Reads the TLS parameters of a connection string.
 * @param rootCertificate the value of PGSSLROOTCERT, which counts where the string names no file
 * @param shown returns a value as it may appear in a message
 * @param problems receives a message for each mistake
 * @param remarks receives a message for each value that is ignored
 */
export function readTls(
  query: ReadonlyMap<string, string>,
  rootCertificate: string | undefined,
  { shown, problems, remarks }: { shown: (word: string) => string; problems: string[]; remarks: string[] },
): TlsSettings {
  const named = (["sslrootcert", "sslcert"] as const).find((name) => query.has(name));
  const path = named === undefined ? rootCertificate || undefined : query.get(named);
  const given = query.get("sslmode");
  let tlsMode: TlsMode = named === "sslrootcert" && path === SYSTEM ? "verify-full" : "prefer";
  if (isMode(given)) tlsMode = given;
  else if (given !== undefined)
    remarks.push(
      `The connection string says sslmode=${shown(given)}, which nobody knows; "${tlsMode}" is used${tlsMode === "prefer" ? ", as Prisma does" : ""}.`,
    );
  if (named === "sslrootcert" && path === SYSTEM && tlsMode !== "verify-full")
    problems.push(
      `The connection string says sslrootcert=system, which goes with sslmode=verify-full only, and not with sslmode=${tlsMode}.`,
    );

  const accept = query.get("sslaccept");
  // Prisma accepts any certificate by default; the modes verify-* require that it is checked.
  const strict = tlsMode.startsWith("verify") || (accept !== undefined && accept !== "accept_invalid_certs");
  const tls: ConnectionOptions = { rejectUnauthorized: strict };
  const identity = query.get("sslidentity");
  if (identity !== undefined) {
    const pfx = readNamedFile("sslidentity", identity, { shown, mistakes: problems });
    if (pfx) tls.pfx = pfx;
  }
  const passphrase = query.get("sslpassword");
  if (passphrase !== undefined) tls.passphrase = passphrase;
  // libpq's verify-ca checks the authority, and not the host's name.
  if (tlsMode === "verify-ca") tls.checkServerIdentity = () => undefined;

  if (path === undefined || path === SYSTEM) return { tlsMode, tls, authorities: undefined };
  // PGSSLROOTCERT is not the connection string's own, so a file that nobody needs may be missing.
  const mistakes = named !== undefined || strict ? problems : [];
  const source = named ?? "PGSSLROOTCERT";
  const certificates = certificatesIn(readNamedFile(source, path, { shown, mistakes })?.toString("latin1") ?? "");
  if (certificates.length === 0 && mistakes.length === 0)
    mistakes.push(
      `${sourceOf(source)} names the file ${shown(path)}, which holds no certificate in PEM ("-----BEGIN CERTIFICATE-----").`,
    );
  return { tlsMode, tls, authorities: certificates.length > 0 ? { path, named: source, certificates } : undefined };
}

function readNamedFile(
  name: string,
  file: string,
  { shown, mistakes }: { shown: (word: string) => string; mistakes: string[] },
): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    mistakes.push(`${sourceOf(name)} names the file ${shown(file)}, which can't be read (${reason}).`);
    return undefined;
  }
}

/** Returns the options for `tls.connect` to a server, with the authorities that are trusted. */
export async function tlsOptions({
  tls,
  authorities,
  host,
}: TlsSettings & { host: string }): Promise<ConnectionOptions> {
  if (authorities) return { ...tls, ca: [...authorities.certificates] };
  // Node's own authorities are in use by default. Naming Amazon's would replace them, so both are named.
  const amazon = tls.rejectUnauthorized === true ? await amazonAuthorities(host) : [];
  return amazon.length === 0 ? tls : { ...tls, ca: [...rootCertificates, ...extraAuthorities(), ...amazon] };
}

/** Returns the authorities that NODE_EXTRA_CA_CERTS adds to Node's own. Node warns by itself if it can't read them. */
function extraAuthorities(): string[] {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (!file) return [];
  try {
    return certificatesIn(readFileSync(file, "latin1"));
  } catch {
    return [];
  }
}

/** Returns the certificates of a file in PEM. What is not one is left out, as OpenSSL does. */
function certificatesIn(text: string): string[] {
  const blocks = text.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END [A-Z0-9 ]+-----/g) ?? [];
  return blocks.filter((each) => {
    try {
      return new X509Certificate(each);
    } catch {
      return false;
    }
  });
}

function isMode(text: string | undefined): text is TlsMode {
  return text !== undefined && MODES.includes(text);
}

function sourceOf(name: string): string {
  return name === "PGSSLROOTCERT" ? "The variable PGSSLROOTCERT" : `The parameter ${name} of the connection string`;
}
