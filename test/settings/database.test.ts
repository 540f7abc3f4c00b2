import { describe, expect, test } from "vitest";
import { databaseAccess } from "../../settings/database-access";
import { parseSettings } from "../../settings/parse";

const GOOD = { app: { name: "notes", image: "notes:1" }, migrations: { directory: "migrations" } };
const SPLIT = { name: "notes-database", passwordKey: "password", hostKey: "host", nameKey: "dbname" };
const FILE = { secretProviderClass: "notes-app" };

const parse = (database: object, rest: object = {}) =>
  parseSettings({ ...GOOD, ...rest, database: { identifier: "notes-db", ...database } });
const problems = (database: object, rest?: object) => parse(database, rest).problems;
const access = (database: object, role: "app" | "migration") => {
  const { settings, problems: wrong } = parse(database);
  expect(wrong).toEqual([]);
  return databaseAccess(settings!.database, role);
};

/** The settings of the database, and what is said of them: each is one line. */
const WRONG: [name: string, database: object, message: string, rest?: object][] = [
  ["neither a Secret nor a file", {}, "database.secret is missing; it must be a group of keys"],
  ["a Secret and a file", { secret: { name: "a" }, file: FILE }, "left out, because database.secret is given"],
  ["a Secret without a name", { secret: { passwordKey: "p" } }, "database.secret.name is missing"],
  [
    "a URL's key beside separate keys",
    { secret: { ...SPLIT, appKey: "url" } },
    'database.secret.appKey is "url"; it must be left out, because database.secret.host',
  ],
  [
    "the migration's URL beside separate keys",
    { secret: { ...SPLIT, migrationKey: "direct-url" } },
    'database.secret.migrationKey is "direct-url"; it must be left out, because database.secret.',
  ],
  [
    "the migration's URL beside separate keys of its own",
    {
      secret: { name: "a", migrationKey: "u" },
      migration: { secret: { passwordKey: "p" }, host: "h", name: "n" },
    },
    "because database.migration.secret.passwordKey says that the migration's Secret holds separate values",
  ],
  [
    "separate keys without the one of the password",
    { secret: { name: "a", hostKey: "host" }, name: "notes" },
    "database.secret.passwordKey is missing; it must be the key of the password in the Secret",
  ],
  [
    "separate keys without a host",
    { secret: { name: "a", passwordKey: "password" }, name: "notes" },
    "database.host is missing; it must be the name of the server, unless database.secret.hostKey names the key",
  ],
  [
    "separate keys without a database's name",
    { secret: { name: "a", passwordKey: "password" }, host: "db" },
    "database.name is missing; it must be the name of the database on the server, unless database.secret.nameKey",
  ],
  ["a host in both places", { secret: SPLIT, host: "db" }, "left out, because database.secret.hostKey is given"],
  ["a name in both places", { secret: SPLIT, name: "n" }, "left out, because database.secret.nameKey is given"],
  [
    "a port in both places",
    { secret: { ...SPLIT, portKey: "port" }, port: 5432 },
    "left out, because database.secret.portKey is given",
  ],
  [
    "the migration's user in both places",
    { secret: SPLIT, migration: { user: "m", secret: { userKey: "u" } } },
    "left out, because database.migration.secret.userKey is given",
  ],
  [
    "a host beside a URL",
    { secret: { name: "a" }, host: "db" },
    'database.host is "db"; it must be left out, because the URL in the Secret contains it',
  ],
  [
    "the migration's user beside a URL",
    { secret: { name: "a" }, migration: { user: "m" } },
    "for separate values, set database.migration.secret.passwordKey",
  ],
  ["a variable for the URL without a URL", { secret: SPLIT, env: "NOTES_URL" }, "PGHOST, PGPORT, PGUSER, PGPASSWORD"],
  ["a host with a port", { secret: { name: "a", passwordKey: "p" }, host: "db:5432", name: "n" }, "without a port"],
  [
    "a host that is a URL",
    { secret: { name: "a", passwordKey: "p" }, host: "https://db", name: "n" },
    "name or address",
  ],
  ["a port that is none", { secret: SPLIT, port: 0 }, "a whole number from 1 to 65535"],
  ["a port that is a text", { secret: SPLIT, port: "5432" }, "a whole number from 1 to 65535"],
  ["a key that is none", { secret: { ...SPLIT, userKey: "a key" } }, "the name of a key: letters, digits"],
  ["a key that is misspelt", { secret: { ...SPLIT, userkey: "u" } }, "did you mean database.secret.userKey?"],
  [
    "a class that is no name",
    { file: { secretProviderClass: "Notes" } },
    "lower-case letters, digits, hyphens and dots",
  ],
  ["a file without a class", { file: { path: "url" } }, "database.file.secretProviderClass is missing"],
  ["a file outside the volume", { file: { ...FILE, path: "../url" } }, "the path of a file in the volume"],
  ["an absolute file", { file: { ...FILE, path: "/run/url" } }, "without / at its beginning"],
  ["a folder that is relative", { file: { ...FILE, folder: "run" } }, "a folder that begins with /"],
  ["a folder that leads up", { file: { ...FILE, folder: "/run/.." } }, "a folder that begins with /"],
  [
    "the migration's Secret beside a file",
    { file: FILE, migration: { secret: { name: "m" } } },
    "left out, because the connection is in database.file",
  ],
  [
    "the migration's key beside a file",
    { file: FILE, migration: { secret: { passwordKey: "m" } } },
    "left out, because the connection is in database.file",
  ],
  [
    "the migration's file without a file",
    { secret: { name: "a" }, migration: { file: { path: "x" } } },
    "left out, because there is no database.file",
  ],
  [
    "a parameter that there isn't",
    { secret: SPLIT, parameters: { ssl: "on" } },
    "unknown setting database.parameters.ssl",
  ],
  ["a TLS mode that there isn't", { secret: SPLIT, parameters: { sslmode: "on" } }, '"disable" or "prefer"'],
  ["the app's own PGHOST", { secret: SPLIT }, "app.env.PGHOST is", { app: { ...GOOD.app, env: { PGHOST: "db" } } }],
  [
    "the app's own file",
    { file: FILE },
    "app.env.DATABASE_URL_FILE is",
    { app: { ...GOOD.app, env: { DATABASE_URL_FILE: "/x" } } },
  ],
  [
    "a worker's own URL",
    { secret: { name: "a" } },
    "workloads.0.env.DATABASE_URL is",
    { workloads: [{ kind: "worker", name: "w", env: { DATABASE_URL: "x" } }] },
  ],
];

describe("the settings of the database's connection", () => {
  test.each(WRONG)("with %s are refused in one line", (_, database, message, rest) => {
    const wrong = problems(database, rest);
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain(message);
  });

  test("name all that is wrong at once", () => {
    const wrong = problems({ secret: { name: "a", portKey: "port", appKey: "url" }, env: "X", port: 1 });
    expect(wrong.map((line) => line.split(" ")[0])).toEqual([
      "database.secret.appKey",
      "database.env",
      "database.port",
      "database.host",
      "database.name",
      "database.secret.passwordKey",
    ]);
  });

  test("are the two URLs of one Secret by default", () => {
    const database = { secret: { name: "a" } };
    expect(access(database, "app")).toEqual({ form: "url", secret: "a", key: "url" });
    expect(access(database, "migration")).toEqual({ form: "url", secret: "a", key: "direct-url" });
    expect(access({ ...database, migration: { secret: { name: "b" } } }, "migration")).toEqual({
      form: "url",
      secret: "b",
      key: "direct-url",
    });
  });

  test("may be separate values, of which the migration has only another Secret", () => {
    const database = { secret: SPLIT, migration: { secret: { name: "notes-migration" } } };
    const parts = (secret: string) => ({
      form: "parts",
      parts: {
        host: { secret, key: "host" },
        port: "5432",
        user: { secret, key: "username" },
        password: { secret, key: "password" },
        name: { secret, key: "dbname" },
      },
    });
    expect(access(database, "app")).toEqual(parts("notes-database"));
    expect(access(database, "migration")).toEqual(parts("notes-migration"));
  });

  test("may be the two values of a Secret that RDS manages, and the rest in the settings", () => {
    const database = {
      secret: { name: "a", passwordKey: "password" },
      host: "proxy.internal",
      name: "notes",
      migration: { host: "db.internal", port: 5433, user: "migrator", secret: { passwordKey: "migration-password" } },
    };
    expect(access(database, "app")).toEqual({
      form: "parts",
      parts: {
        host: "proxy.internal",
        port: "5432",
        user: { secret: "a", key: "username" },
        password: { secret: "a", key: "password" },
        name: "notes",
      },
    });
    expect(access(database, "migration")).toEqual({
      form: "parts",
      parts: {
        host: "db.internal",
        port: "5433",
        user: "migrator",
        password: { secret: "a", key: "migration-password" },
        name: "notes",
      },
    });
  });

  test("may be a URL for the app and separate values for the migration", () => {
    const migration = { host: "db", name: "n", secret: { name: "rds-master", passwordKey: "password" } };
    const database = { secret: { name: "a" }, migration };
    expect(access(database, "app")).toEqual({ form: "url", secret: "a", key: "url" });
    expect(access(database, "migration")).toMatchObject({
      form: "parts",
      parts: { user: { secret: "rds-master", key: "username" } },
    });
  });

  test("may be files, of which the migration's is in a class of its own", () => {
    const database = { file: { ...FILE, path: "a.json" }, host: "db", migration: { file: { path: "m.json" } } };
    const file = { form: "file", folder: "/run/database", parts: { host: "db" } };
    expect(access(database, "app")).toEqual({ ...file, secretProviderClass: "notes-app", path: "a.json" });
    expect(access(database, "migration")).toEqual({ ...file, secretProviderClass: "notes-app", path: "m.json" });
    const own = { ...database, migration: { file: { secretProviderClass: "notes-migration" } } };
    expect(access(own, "migration")).toMatchObject({ secretProviderClass: "notes-migration", path: "a.json" });
  });
});
