import { separateKeys } from "./database-access";
import { type Problem, problem } from "./rule";
import type { DatabaseSettings } from "./schema";

const BECAUSE = 'because database.auth is "iam"';

/** Matches the endpoints of RDS: a token is signed for the server's own name, which contains the region. */
const ENDPOINT = /\.rds\.amazonaws\.com$|\.rds\.[a-z0-9-]+\.amazonaws\.com\.cn$/i;

/** The settings of the part of the connection that both roles have. */
type Part = Pick<DatabaseSettings, "host" | "name" | "user">;

const WHAT = {
  host: "the endpoint of RDS",
  name: "the name of the database on the server",
  user: "the name of the role in Postgres, which has rds_iam",
} as const;

/** Finds what doesn't fit to a login by IAM: there is no password, and so nothing that is secret. */
export function iamProblems(database: DatabaseSettings): Problem[] {
  const { secret, file, env, migration, parameters } = database;
  const unused = (given: boolean, path: string[], why = BECAUSE) =>
    problem(given, ["database", ...path], `left out, ${why}`);
  const missing = (["host", "name", "user"] as const).filter((part) => database[part] === undefined);
  return [
    ...unused(secret !== undefined, ["secret"]),
    ...unused(file !== undefined, ["file"]),
    ...unused(migration.secret.name !== undefined, ["migration", "secret", "name"]),
    ...separateKeys(migration.secret).flatMap((key) => unused(true, ["migration", "secret", key])),
    ...(["secretProviderClass", "path"] as const).flatMap((key) =>
      unused(migration.file[key] !== undefined, ["migration", "file", key]),
    ),
    ...unused(env !== undefined, ["env"], `${BECAUSE}: the app gets PGHOST, PGPORT, PGUSER and PGDATABASE`),
    ...missing.flatMap((part) => problem(true, ["database", part], `${WHAT[part]}, ${BECAUSE}`)),
    ...noEndpoint(database, ["database", "host"]),
    ...noEndpoint(migration, ["database", "migration", "host"]),
    ...problem(
      parameters.sslmode === "disable" || parameters.sslmode === "prefer",
      ["database", "parameters", "sslmode"],
      `"verify-full" (the default), "verify-ca" or "require", ${BECAUSE}, whose tokens are sent by TLS only`,
    ),
  ];
}

function noEndpoint({ host }: Part, path: string[]): Problem[] {
  return problem(
    host !== undefined && !ENDPOINT.test(host),
    path,
    `the endpoint of RDS itself (….rds.amazonaws.com), ${BECAUSE}: the token is signed for that name`,
  );
}
