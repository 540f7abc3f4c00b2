import { escapeIdentifier, escapeLiteral } from "pg";
import type { Session } from "../../migrator/db/connection";
import { CREATED, writeMark } from "./copies";
import type { Mark } from "./mark";

/** What of the source decides how its copy is created. */
interface Origin {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** The provider of the locale: `c` libc, `i` ICU, `b` built in. */
  readonly provider: string;
  readonly locale: string | null;
  readonly owner: string;
  /** Whether this role may give a database to the source's owner, and keep its own rights on it. */
  readonly ownable: boolean;
}

/** The options of CREATE DATABASE for a locale that isn't libc's, by the provider. */
const PROVIDERS: Readonly<Record<string, { name: string; option: string }>> = {
  i: { name: "icu", option: "ICU_LOCALE" },
  b: { name: "builtin", option: "BUILTIN_LOCALE" },
};

/**
 * Returns the statement that creates a copy with the encoding, the collation and, if this role may, the owner of the
 * source. Nobody may connect at first.
 */
export async function creationOf(session: Session, name: string): Promise<string> {
  const { encoding, collate, ctype, provider, locale, owner, ownable } = await originOf(session);
  const icu = PROVIDERS[provider];
  const options = [
    "TEMPLATE template0",
    `ENCODING ${escapeLiteral(encoding)}`,
    `LC_COLLATE ${escapeLiteral(collate)}`,
    `LC_CTYPE ${escapeLiteral(ctype)}`,
    ...(icu && locale !== null ? [`LOCALE_PROVIDER ${icu.name}`, `${icu.option} ${escapeLiteral(locale)}`] : []),
    ...(ownable ? [`OWNER ${escapeIdentifier(owner)}`] : []),
    "ALLOW_CONNECTIONS false",
    `CONNECTION LIMIT ${CREATED}`,
  ];
  return `CREATE DATABASE ${escapeIdentifier(name)} WITH ${options.join(" ")}`;
}

/** Creates a copy, marks it, and only then lets sessions in. */
export async function createCopy(session: Session, name: string, mark: Mark): Promise<void> {
  await session.run(await creationOf(session, name));
  await writeMark(session, name, mark);
  await session.run(`ALTER DATABASE ${escapeIdentifier(name)} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1`);
}

async function originOf(session: Session): Promise<Origin> {
  const major = Math.floor(session.serverVersion / 10_000);
  const provider = major >= 15 ? "d.datlocprovider::text" : "'c'";
  const locale = major >= 17 ? "d.datlocale" : major >= 15 ? "d.daticulocale" : "NULL::text";
  const [row] = await session.rows<Origin>(
    `SELECT pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collate, d.datctype::text AS ctype,
       ${provider} AS provider, ${locale} AS locale, r.rolname::text AS owner,
       pg_has_role(current_user, d.datdba, 'USAGE') AND pg_has_role(current_user, d.datdba, '${major >= 16 ? "SET" : "MEMBER"}') AS ownable
     FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = current_database()`,
  );
  return row!;
}
