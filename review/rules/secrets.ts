import type { MigrationPlan } from "../../migrations/history/plan";
import { secretsIn } from "../../migrations/sql/secrets-in-sql";
import type { Context } from "./context";

/** Passwords and keys in a migration: they stay in the repository, in every copy of it, and in the server's log. */
export function judgeSecrets({ statements }: MigrationPlan, context: Context): void {
  for (const statement of statements)
    for (const { what } of secretsIn(statement.text))
      context.report(
        {
          rule: "secret-in-migration",
          classes: ["secret"],
          severity: "warning",
          target: `line ${statement.line}`,
          what: `It holds ${what} in plain text.`,
          who: "Everybody who can read the repository, the server's log or its statistics of statements.",
          howLong: "until it is changed; taking it out of the file does not take it out of the history",
          safe: {
            migrations: [],
            note:
              "Change the secret, and take it out of the file: keep it in a Secret, and set it where roles are made, outside of migrations. " +
              "A role's password can be given as its verifier, PASSWORD 'SCRAM-SHA-256$4096:…' (psql's \\password makes one).",
          },
        },
        statement,
      );
}
