import { describe, expect, test } from "vitest";
import { connectionVariables, databaseAccess } from "../../settings/database-access";
import { parseSettings } from "../../settings/parse";

const APP = { name: "notes", image: "notes:1" };
const SECRET = { secret: { name: "notes-database" } };
const HOST = "notes-db.c1a2b3.eu-west-1.rds.amazonaws.com";
const IAM = { auth: "iam", host: HOST, name: "notes", user: "notes_app" };
const CA = { configMap: { name: "database-ca", key: "ca.pem" } };

const parse = (database: object, rest: object = {}) =>
  parseSettings({
    app: APP,
    migrations: { directory: "migrations" },
    ...rest,
    database: { identifier: "notes-db", ...database },
  });

/** The settings of the database, and what is said of them: each is one line. */
const WRONG: [name: string, database: object, message: string, rest?: object][] = [
  ["a CA that is a path", { ...SECRET, ca: "/certs/ca.pem" }, 'database.ca is "/certs/ca.pem"; it must be {configMap'],
  ["a CA without a key", { ...SECRET, ca: { configMap: { name: "a" } } }, "database.ca.configMap.key is missing"],
  ["a CA in two places", { ...SECRET, ca: { ...CA, secret: { name: "a", key: "b" } } }, 'or {secret: {name: "…"'],
  [
    "a CA of a name that is none",
    { ...SECRET, ca: { secret: { name: "A_B", key: "b" } } },
    'database.ca.secret.name is "A_B"; it must be lower-case',
  ],
  [
    "a CA of a key that is none",
    { ...SECRET, ca: { secret: { name: "a", key: "../b" } } },
    "the name of a key: letters, digits",
  ],
  ["an empty CA", { ...SECRET, ca: {} }, "database.ca.configMap is missing"],
  [
    "the app's own PGSSLROOTCERT",
    { ...SECRET, ca: CA },
    "app.env.PGSSLROOTCERT is",
    { app: { ...APP, env: { PGSSLROOTCERT: "/x" } } },
  ],
  [
    "a worker's own PGSSLROOTCERT",
    { ...SECRET, ca: CA },
    "workloads.0.env.PGSSLROOTCERT is",
    { workloads: [{ kind: "worker", name: "w", env: { PGSSLROOTCERT: "/x" } }] },
  ],
  [
    "the command's own PGSSLROOTCERT",
    { ...SECRET, ca: CA },
    "left out: it is set from database.ca",
    { migrations: { directory: "m", runner: "command", env: { PGSSLROOTCERT: "/x" } } },
  ],
  [
    "a volume of the fragment that is called as the CA's",
    { ...SECRET, ca: CA },
    "named differently: the release has a volume of this name",
    { app: { ...APP, pod: { spec: { volumes: [{ name: "database-ca", emptyDir: {} }] } } } },
  ],
  [
    "a mount of the fragment in the place of the CA's",
    { ...SECRET, ca: CA },
    "another path: database.ca is mounted there",
    {
      app: {
        ...APP,
        pod: {
          spec: {
            volumes: [{ name: "x", emptyDir: {} }],
            containers: [{ name: "app", volumeMounts: [{ name: "x", mountPath: "/run/database-ca" }] }],
          },
        },
      },
    },
  ],
  ["another way to log in", { ...SECRET, auth: "kerberos" }, 'it must be "password" or "iam"'],
  ["IAM and a Secret", { ...IAM, ...SECRET }, 'it must be left out, because database.auth is "iam"'],
  [
    "IAM and a file",
    { ...IAM, file: { secretProviderClass: "notes" } },
    'it must be left out, because database.auth is "iam"',
  ],
  [
    "IAM and a Secret of the migration",
    { ...IAM, migration: { secret: { name: "m" } } },
    'database.migration.secret.name is "m"; it must be left out, because database.auth is "iam"',
  ],
  [
    "IAM and a password of the migration",
    { ...IAM, migration: { secret: { passwordKey: "p" } } },
    'it must be left out, because database.auth is "iam"',
  ],
  [
    "IAM and a file of the migration",
    { ...IAM, migration: { file: { path: "p" } } },
    'database.migration.file.path is "p"; it must be left out',
  ],
  ["IAM and a variable for a URL", { ...IAM, env: "NOTES_URL" }, "the app gets PGHOST, PGPORT, PGUSER and PGDATABASE"],
  ["IAM without a host", { ...IAM, host: undefined }, "database.host is missing; it must be the endpoint of RDS"],
  ["IAM without a role", { ...IAM, user: undefined }, "database.user is missing; it must be the name of the role"],
  [
    "IAM without a database",
    { ...IAM, name: undefined },
    "database.name is missing; it must be the name of the database",
  ],
  ["IAM and another name of the host", { ...IAM, host: "db.internal" }, "the token is signed for that name"],
  ["IAM and an address", { ...IAM, host: "10.0.0.7" }, "the endpoint of RDS itself (….rds.amazonaws.com)"],
  [
    "IAM and another name of the migration's host",
    { ...IAM, migration: { host: "db.internal" } },
    'database.migration.host is "db.internal"; it must be the endpoint of RDS itself',
  ],
  ["IAM without TLS", { ...IAM, parameters: { sslmode: "disable" } }, "whose tokens are sent by TLS only"],
  ["IAM with TLS where it can be had", { ...IAM, parameters: { sslmode: "prefer" } }, '"verify-full" (the default)'],
  ["IAM and the app's own PGUSER", IAM, "app.env.PGUSER is", { app: { ...APP, env: { PGUSER: "x" } } }],
  [
    "a wait that is longer than the Job",
    SECRET,
    'migrations.connectWait is "10m"; it must be shorter than migrations.deadline (5m)',
    { migrations: { directory: "m", connectWait: "10m", deadline: "5m", statementTimeout: "1m" } },
  ],
];

describe("the settings of logins and authorities", () => {
  test.each(WRONG)("with %s are refused in one line", (_, database, message, rest) => {
    const { problems } = parse(database, rest);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  test("name all that is wrong with a login by IAM at once", () => {
    const { problems } = parse({ auth: "iam", ...SECRET, parameters: { sslmode: "disable" } });
    expect(problems.map((line) => line.split(" ")[0])).toEqual([
      "database.secret",
      "database.host",
      "database.name",
      "database.user",
      "database.parameters.sslmode",
    ]);
  });

  test("give each role its own user of IAM, and no password", () => {
    const { settings } = parse({ ...IAM, port: 5433, migration: { user: "notes_migration" } });
    const shared = { host: HOST, port: "5433", name: "notes" };
    expect(databaseAccess(settings!.database, "app")).toEqual({
      form: "parts",
      parts: { ...shared, user: "notes_app" },
    });
    expect(databaseAccess(settings!.database, "migration")).toEqual({
      form: "parts",
      parts: { ...shared, user: "notes_migration" },
    });
    expect(connectionVariables(settings!.database, "app")).toEqual(["PGHOST", "PGPORT", "PGUSER", "PGDATABASE"]);
  });

  test.each(["notes.cluster-c1a2b3.eu-west-1.rds.amazonaws.com", "notes.c1a2b3.rds.cn-north-1.amazonaws.com.cn"])(
    "take %s as an endpoint of RDS",
    (host) => expect(parse({ ...IAM, host }).problems).toEqual([]),
  );
});
