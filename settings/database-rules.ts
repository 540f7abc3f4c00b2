import { type ConnectionPart, databaseAccess, separateKeys } from "./database-access";
import { iamProblems } from "./iam-rules";
import { type Problem, problem, type Rule } from "./rule";
import type { DatabaseSettings } from "./schema";

type Check = (database: DatabaseSettings) => Problem[];

/** The parts that may stand in the settings, because they are no secret. */
const PLAIN_PARTS = ["host", "port", "name", "user"] as const;

const WHAT: Readonly<Record<ConnectionPart, string>> = {
  host: "the name of the server",
  port: "the server's port",
  user: "the name of the role",
  password: "the key of the password in the Secret",
  name: "the name of the database on the server",
};

/** Exactly one of a Secret and a file holds the connection. */
const onePlace: Check = ({ secret, file, migration }) => [
  ...problem(
    !secret && !file,
    ["database", "secret"],
    "a group of keys: the Secret that holds the URLs or their parts",
  ),
  ...problem(
    secret !== undefined && file !== undefined,
    ["database", "file"],
    "left out, because database.secret is given",
  ),
  ...(file
    ? [
        ...problem(
          migration.secret.name !== undefined,
          ["database", "migration", "secret", "name"],
          "left out, because the connection is in database.file",
        ),
        ...separateKeys(migration.secret).flatMap((key) =>
          problem(
            true,
            ["database", "migration", "secret", key],
            "left out, because the connection is in database.file",
          ),
        ),
      ]
    : (["secretProviderClass", "path"] as const).flatMap((key) =>
        problem(
          migration.file[key] !== undefined,
          ["database", "migration", "file", key],
          "left out, because there is no database.file",
        ),
      )),
];

/** A Secret holds either URLs or separate values. */
const oneForm: Check = ({ secret, env, migration }) => {
  const [split] = separateKeys(secret);
  const [ownSplit] = separateKeys(migration.secret);
  const because = `because database.secret.${split} says that the Secret holds separate values`;
  return [
    ...(split
      ? [
          ...problem(secret?.appKey !== undefined, ["database", "secret", "appKey"], `left out, ${because}`),
          ...problem(
            env !== undefined,
            ["database", "env"],
            "left out: separate values reach the app as PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE",
          ),
        ]
      : []),
    ...problem(
      secret?.migrationKey !== undefined && (split ?? ownSplit) !== undefined,
      ["database", "secret", "migrationKey"],
      split
        ? `left out, ${because}`
        : `left out, because database.migration.secret.${ownSplit} says that the migration's Secret holds separate values`,
    ),
  ];
};

/** A value stands either in the settings or in the Secret. */
const onePlaceForEach: Check = ({ secret, migration, ...plain }) =>
  PLAIN_PARTS.flatMap((part) => [
    ...problem(
      plain[part] !== undefined && secret?.[`${part}Key`] !== undefined,
      ["database", part],
      `left out, because database.secret.${part}Key is given`,
    ),
    ...problem(
      migration[part] !== undefined && migration.secret[`${part}Key`] !== undefined,
      ["database", "migration", part],
      `left out, because database.migration.secret.${part}Key is given`,
    ),
  ]);

/** A URL contains everything. */
const nothingBesideUrl: Check = (database) =>
  (["app", "migration"] as const).flatMap((role) => {
    if (databaseAccess(database, role).form !== "url") return [];
    const [from, path] =
      role === "app" ? [database, ["database"]] : ([database.migration, ["database", "migration"]] as const);
    return PLAIN_PARTS.flatMap((part) =>
      problem(
        from[part] !== undefined,
        [...path, part],
        `left out, because the URL in the Secret contains it (for separate values, set ${["database", ...(role === "app" ? [] : ["migration"]), "secret", "passwordKey"].join(".")})`,
      ),
    );
  });

/** Separate values are complete. */
const complete: Check = (database) => {
  const missing = (role: "app" | "migration") => {
    const access = databaseAccess(database, role);
    if (access.form !== "parts") return [];
    return (["host", "name", "password"] as const).filter((part) => access.parts[part] === undefined);
  };
  const ofApp = missing("app");
  const tell = (part: ConnectionPart, path: string[]) =>
    problem(
      true,
      part === "password" ? [...path, "secret", "passwordKey"] : [...path, part],
      part === "password"
        ? WHAT[part]
        : `${WHAT[part]}, unless ${[...path, "secret", `${part}Key`].join(".")} names the key that holds it`,
    );
  return [
    ...ofApp.flatMap((part) => tell(part, ["database"])),
    // What the app's connection lacks too is named once.
    ...missing("migration")
      .filter((part) => !ofApp.includes(part))
      .flatMap((part) => tell(part, ["database", "migration"])),
  ];
};

/** The rules for the settings that say where the connections to the database are found. */
export const databaseRules: Rule[] = [
  ...[onePlace, oneForm, onePlaceForEach, nothingBesideUrl, complete].map((check) => withAuth("password", check)),
  withAuth("iam", iamProblems),
];

/** Makes a rule that counts for one way to log in. */
function withAuth(auth: DatabaseSettings["auth"], check: Check): Rule {
  return { needs: ["database"], broken: ({ database }) => (database.auth === auth ? check(database) : []) };
}
