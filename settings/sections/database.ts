import { z } from "zod";
import { duration, name, setting, text } from "../types";

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
      .toLowerCase(),
    {
      description:
        "The DB identifier that the AWS console shows, not the resource id (`db-XXXX…`). The program never owns the database.",
      example: "notes-db",
    },
  ),
  secret: z.strictObject({
    name: setting(name(63), {
      description: "A Kubernetes Secret in the release's namespace that holds the URLs.",
      example: "notes-database",
    }),
    appKey: setting(text.default("url"), {
      description: "Key of the URL that the app and the workloads use.",
      example: "app-url",
    }),
    migrationKey: setting(text.default("direct-url"), {
      description: "Key of the URL that the migration uses: its own role, past any pooler.",
      example: "migration-url",
    }),
  }),
  env: setting(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")
      .default("DATABASE_URL"),
    { description: "Variable in which the app gets its URL.", example: "NOTES_DATABASE_URL" },
  ),
});

/** The snapshot that is taken before a migration. */
export const backup = z.strictObject({
  mode: setting(z.enum(["snapshot", "none"]).default("snapshot"), {
    description: "`none` is allowed where `policy.backup` is `optional`.",
    example: "snapshot",
  }),
  timeout: setting(duration("1s", "2d").prefault("3h"), {
    description: "Time that the snapshot may take until it is `available`; before that, as long for a busy database.",
    example: "6h",
  }),
  maxAge: setting(duration("1m", "30d").prefault("1h"), {
    description:
      "With migrations pending, the Job refuses a snapshot that ended longer ago. Longer than `migrations.soak`.",
    example: "2h",
  }),
  restore: setting(z.string().includes("{snapshot}", { message: "a command with {snapshot} in it" }).optional(), {
    description: "What the output `restore` tells people to type; `{snapshot}` stands for the snapshot's identifier.",
    example: "./restore.sh {snapshot}",
    without: "an `aws rds restore-…` command",
  }),
});
