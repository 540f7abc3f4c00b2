import { rootCertificates } from "node:tls";
import { tlsOptions } from "../../migrator/db/tls-options";
import type { Target } from "../../migrator/db/url";
import { ClientCertificateUnusable } from "../failures/dump";

/** A connection as libpq's variables, and the authorities that its server's certificate is checked against. */
export interface LibpqConnection {
  readonly variables: Readonly<Record<string, string>>;
  /** Certificates in PEM; undefined if the certificate is not checked. */
  readonly authorities: string | undefined;
}

/**
 * Returns a connection for `pg_dump` that means the same as the migrator's own.
 *
 * @param password the password, or a token of IAM
 * @param authorities the path of the file in which the container finds the authorities
 * @throws ClientCertificateUnusable
 */
export async function libpqConnection(target: Target, password: string, authorities: string): Promise<LibpqConnection> {
  const { tls, tlsMode } = target;
  if (tls.pfx !== undefined) throw new ClientCertificateUnusable();
  const checked = tls.rejectUnauthorized === true && tlsMode !== "disable" && tlsMode !== "prefer";
  const { ca } = checked ? await tlsOptions(target) : {};
  const given = [ca ?? rootCertificates].flat().map(String);
  return {
    variables: {
      PGHOST: target.host,
      PGPORT: String(target.port),
      PGUSER: target.user,
      PGPASSWORD: password,
      PGDATABASE: target.database,
      PGAPPNAME: "release-dump",
      PGCONNECT_TIMEOUT: String(Math.ceil(target.connectTimeout / 1000)),
      PGSSLMODE: checked && tlsMode !== "verify-ca" ? "verify-full" : tlsMode,
      ...(checked ? { PGSSLROOTCERT: authorities } : {}),
      ...(target.options === undefined ? {} : { PGOPTIONS: target.options }),
    },
    authorities: checked ? `${given.join("\n")}\n` : undefined,
  };
}

/** Writes variables as a file that a POSIX shell reads with `.`; a value may contain any character. */
export function shellVariables(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}
