import { z } from "zod";
import { dnsName, folder, name, secretKey, setting, text, whole } from "../types";
import { login } from "./database-login";

const host = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$|^[0-9A-Fa-f.]*(?::[0-9A-Fa-f.]*){2,}$/,
    "the name or address of a server, without a port",
  );
const file = z
  .string()
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))\S+$/, "the path of a file in the volume, without / at its beginning");

/** Returns the settings of the keys that hold one value each, where a Secret holds no URL. */
const separateKeys = (inherited?: string) => ({
  passwordKey: setting(secretKey.optional(), {
    description: "Key of the password. Naming it says that the Secret holds separate values and no URL.",
    example: "password",
    without: inherited ?? "a URL is used",
  }),
  userKey: setting(secretKey.optional(), {
    description: "Key of the role's name.",
    example: "username",
    without: inherited ?? "`database.user`, or else `username`",
  }),
  hostKey: setting(secretKey.optional(), {
    description: "Key of the server's name.",
    example: "host",
    without: inherited ?? "`database.host`",
  }),
  portKey: setting(secretKey.optional(), {
    description: "Key of the server's port.",
    example: "port",
    without: inherited ?? "`database.port`",
  }),
  nameKey: setting(secretKey.optional(), {
    description: "Key of the name of the database on the server.",
    example: "dbname",
    without: inherited ?? "`database.name`",
  }),
});

/** Returns the settings of values that the Secret or the file doesn't hold. */
const plainValues = (inherited?: string) => ({
  host: setting(host.optional(), {
    description: "The server, where the Secret or the file holds no URL and no host.",
    example: "notes-db.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com",
    without: inherited ?? "the Secret's or the file's",
  }),
  port: setting(whole(1, 65_535).optional(), {
    description: "The server's port, where the Secret or the file holds no URL and no port.",
    example: 5433,
    without: inherited ?? "the Secret's or the file's, or else `5432`",
  }),
  name: setting(text.optional(), {
    description: "The name of the database on the server, where the Secret or the file holds no URL and no such name.",
    example: "notes",
    without: inherited ?? "the Secret's or the file's",
  }),
  user: setting(text.optional(), {
    description: "The role, where the Secret or the file holds no URL and no role.",
    example: "notes_app",
    without: inherited ?? "the Secret's or the file's",
  }),
});

const AS_THE_APPS = "as the app's";

/** The database that is migrated, and where its connection strings are kept. */
export const database = z.strictObject({
  kind: setting(z.enum(["instance", "cluster"]).default("instance"), {
    description: "`instance` is RDS, also Multi-AZ; `cluster` is Aurora.",
    example: "cluster",
  }),
  identifier: setting(
    z
      .string()
      .max(63, "at most 63 characters")
      .regex(/^[A-Za-z](?:-?[A-Za-z0-9])*$/, "an RDS identifier: letters, digits and single hyphens, a letter first")
      // RDS stores identifiers in lower case. Another spelling would be a change that replaces the snapshot.
      .toLowerCase()
      .optional(),
    {
      description:
        "The DB identifier that the AWS console shows, not the resource id (`db-XXXX…`). The program never owns the database.",
      example: "notes-db",
      without: "required with `backup.mode: snapshot`",
    },
  ),
  endpointCheck: setting(z.enum(["on", "off"]).default("on"), {
    description:
      "`on`: preflight refuses a connection that leads to another database than the one that the snapshot is taken of. `off` for a connection through a tunnel that hides the server; the report says so.",
    example: "off",
  }),
  ...login,
  secret: z
    .strictObject({
      name: setting(name(63), {
        description: "A Kubernetes Secret in the release's namespace that holds the URLs, or their parts.",
        example: "notes-database",
        without: "required, unless `database.file` or `database.auth: iam` is given",
      }),
      appKey: setting(secretKey.optional(), {
        description: "Key of the URL that the app and the workloads use.",
        example: "app-url",
        without: "`url`",
      }),
      migrationKey: setting(secretKey.optional(), {
        description: "Key of the URL that the migration uses: its own role, past any pooler.",
        example: "migration-url",
        without: "`direct-url`",
      }),
      ...separateKeys(),
    })
    .optional(),
  file: z
    .strictObject({
      secretProviderClass: setting(dnsName, {
        description:
          "In place of a Secret: a SecretProviderClass in the release's namespace, whose files the CSI driver `secrets-store.csi.k8s.io` mounts into the pods.",
        example: "notes-app",
        without: "a Secret is used",
      }),
      path: setting(file.default("url"), {
        description: "The file that holds the app's URL, or the JSON that AWS Secrets Manager keeps.",
        example: "notes-app.json",
      }),
      folder: setting(folder.default("/run/database"), {
        description: "Where the files are mounted.",
        example: "/mnt/secrets-store",
      }),
    })
    .optional(),
  ...plainValues(),
  migration: z
    .strictObject({
      secret: z
        .strictObject({
          name: setting(name(63).optional(), {
            description: "The migration role's own Secret.",
            example: "notes-database-migration",
            without: "`database.secret.name`",
          }),
          ...separateKeys(AS_THE_APPS),
        })
        .prefault({}),
      file: z
        .strictObject({
          secretProviderClass: setting(dnsName.optional(), {
            description: "The migration role's own SecretProviderClass, so that the app's pods don't get its files.",
            example: "notes-migration",
            without: "`database.file.secretProviderClass`",
          }),
          path: setting(file.optional(), {
            description: "The file that holds the migration role's URL or JSON.",
            example: "notes-migration.json",
            without: "`database.file.path`",
          }),
        })
        .prefault({}),
      ...plainValues(AS_THE_APPS),
    })
    .prefault({}),
  parameters: setting(
    z
      .strictObject({
        schema: text.exactOptional(),
        sslmode: z.enum(["disable", "prefer", "require", "verify-ca", "verify-full"]).exactOptional(),
        connect_timeout: whole(0, 600).exactOptional(),
        options: text.exactOptional(),
      })
      .default({}),
    {
      description:
        "Parameters of the migration's connection that would stand in its URL: `schema`, `sslmode`, `connect_timeout` (seconds), `options`. Those of a URL itself count more.",
      example: { schema: "notes", sslmode: "require" },
    },
  ),
  env: setting(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")
      .optional(),
    {
      description:
        "Variable in which the app gets its URL. With `database.file` it gets the file's path in `<name>_FILE`.",
      example: "NOTES_DATABASE_URL",
      without: "`DATABASE_URL`",
    },
  ),
});
