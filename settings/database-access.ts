import type { DatabaseSettings } from "./schema";

/** Who connects: the app with its workloads, or the migration's Jobs. */
export type DatabaseRole = "app" | "migration";

/** One value of a connection: as a text, or as a key of a Secret. */
export type ConnectionValue<Name = string> = string | { readonly secret: Name; readonly key: string };

/** The parts that a connection string consists of. */
export const CONNECTION_PARTS = ["host", "port", "user", "password", "name"] as const;
/** One of {@link CONNECTION_PARTS}; `name` is the name of the database on the server. */
export type ConnectionPart = (typeof CONNECTION_PARTS)[number];

/** The variables of libpq for the parts of a connection (https://www.postgresql.org/docs/current/libpq-envars.html). */
export const PART_VARIABLES: Readonly<Record<ConnectionPart, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  name: "PGDATABASE",
};

/**
 * Where one role finds its connection: a URL in a Secret; its parts, each from a Secret or from the settings; or a file
 * that is mounted into the pod, with the parts that the settings add to it.
 *
 * @typeParam Name the name of a Secret, which may be an output of another resource
 */
export type DatabaseAccess<Name = string> =
  | { readonly form: "url"; readonly secret: Name; readonly key: string }
  | {
      readonly form: "parts";
      readonly parts: Readonly<Partial<Record<ConnectionPart, ConnectionValue<Name>>>>;
    }
  | {
      readonly form: "file";
      readonly secretProviderClass: string;
      readonly folder: string;
      readonly path: string;
      readonly parts: Readonly<Partial<Record<ConnectionPart, string>>>;
    };

/** The variable of libpq that names the file of the authorities in `database.ca`. */
export const CA_VARIABLE = "PGSSLROOTCERT";
/** The folder of every pod that contains the authorities in `database.ca`, in the file `ca.crt`. */
export const CA_FOLDER = "/run/database-ca";

const DEFAULT_PORT = "5432";
const DEFAULT_USER_KEY = "username";
/** The key of the app's URL, if `database.secret.appKey` names no other. */
const DEFAULT_APP_KEY = "url";
/** The key of the migration's URL, if `database.secret.migrationKey` names no other. */
const DEFAULT_MIGRATION_KEY = "direct-url";
/** The variable of the app's URL, if `database.env` names no other. */
export const DEFAULT_VARIABLE = "DATABASE_URL";

type Keys = { readonly [Part in ConnectionPart as `${Part}Key`]?: string | undefined };
type Plain = Pick<DatabaseSettings, "host" | "port" | "name" | "user">;

/** Returns the separate keys that a Secret's settings name, by their settings, such as `passwordKey`. */
export function separateKeys(secret: Keys | undefined): (keyof Keys)[] {
  return CONNECTION_PARTS.map((part) => `${part}Key` as const).filter((key) => secret?.[key] !== undefined);
}

/**
 * Returns where a role finds its connection. What `database.migration` doesn't say of the migration's is as the app's:
 * a key is then read from the migration's own Secret, if it has one.
 *
 * @param secretName The name of the app's Secret, if another resource makes it. Default: `database.secret.name`.
 */
export function databaseAccess<Name = string>(
  database: DatabaseSettings,
  role: DatabaseRole,
  secretName?: Name,
): DatabaseAccess<Name | string> {
  const { secret, file, migration, auth } = database;
  const own = role === "migration" ? migration : undefined;
  const plain = plainParts(database);
  const ownPlain = own ? plainParts(own) : {};
  if (auth === "iam") return { form: "parts", parts: { port: DEFAULT_PORT, ...plain, ...ownPlain } };
  if (file)
    return {
      form: "file",
      secretProviderClass: own?.file.secretProviderClass ?? file.secretProviderClass,
      folder: file.folder,
      path: own?.file.path ?? file.path,
      parts: { ...plain, ...ownPlain },
    };
  const name = own?.secret.name ?? secretName ?? secret?.name ?? "";
  if (separateKeys(secret).length === 0 && separateKeys(own?.secret).length === 0) {
    const { appKey = DEFAULT_APP_KEY, migrationKey = DEFAULT_MIGRATION_KEY } = secret ?? {};
    return { form: "url", secret: name, key: role === "migration" ? migrationKey : appKey };
  }
  const keyed = (keys: Keys | undefined) =>
    Object.fromEntries(
      CONNECTION_PARTS.flatMap((part) => {
        const key = keys?.[`${part}Key`];
        return key === undefined ? [] : [[part, { secret: name, key }]];
      }),
    );
  return {
    form: "parts",
    parts: {
      port: DEFAULT_PORT,
      user: { secret: name, key: DEFAULT_USER_KEY },
      ...plain,
      ...keyed(secret),
      ...ownPlain,
      ...keyed(own?.secret),
    },
  };
}

/**
 * Returns the variable for the URL of a role, to which `_FILE` is added for a file. The migrator always reads the same
 * one, whatever the app's is called.
 */
export function connectionVariable({ env }: DatabaseSettings, role: DatabaseRole): string {
  return role === "app" ? (env ?? DEFAULT_VARIABLE) : DEFAULT_VARIABLE;
}

function plainParts({ host, port, name, user }: Plain): Partial<Record<ConnectionPart, string>> {
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: String(port) }),
    ...(name === undefined ? {} : { name }),
    ...(user === undefined ? {} : { user }),
  };
}

/** Returns the names of the variables that a role's pods get for the connection. Other variables can't have them. */
export function connectionVariables(database: DatabaseSettings, role: DatabaseRole): string[] {
  const access = databaseAccess(database, role);
  const env = connectionVariable(database, role);
  const authorities = database.ca ? [CA_VARIABLE] : [];
  if (access.form === "url") return [env, ...authorities];
  const parts = CONNECTION_PARTS.filter((part) => access.parts[part] !== undefined).map((part) => PART_VARIABLES[part]);
  return [...(access.form === "file" ? [`${env}_FILE`] : []), ...parts, ...authorities];
}
