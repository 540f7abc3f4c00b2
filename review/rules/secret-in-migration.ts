import { secretsIn } from "../../migrations/sql/secrets-in-sql";
import { defineRule } from "./rule";

/** This rule reports passwords and keys, because they stay in every copy of the repository and in the server's log. */
export const secretInMigration = defineRule({
  finds: {
    "secret-in-migration": {
      classes: ["secret"],
      bad: "ALTER ROLE app PASSWORD 'correct horse battery';",
      good: "-- Set it where roles are created, outside of migrations.",
    },
  },
  closing(_, { plan }) {
    return plan.statements.flatMap((at) => {
      return secretsIn(at.text).map(({ what }) => ({
        rule: "secret-in-migration" as const,
        severity: "warning" as const,
        target: `line ${at.line}`,
        what: `It holds ${what} in plain text.`,
        who: "All readers of the repository, of the server's log or of its statement statistics.",
        howLong: "Until it is changed; removing it from the file does not remove it from the repository's history",
        safe: {
          migrations: [],
          note:
            "Change the secret, and remove it from the file: keep it in a Secret, and set it where roles are created, outside of migrations. " +
            "A role's password can be given as its verifier, PASSWORD 'SCRAM-SHA-256$4096:…' (psql's \\password makes one).",
        },
        at,
      }));
    });
  },
});
