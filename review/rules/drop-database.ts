import { code } from "../names";
import { defineRule } from "./rule";
import { fromSnapshot, permanent } from "./words";

/** This rule reports DROP DATABASE. */
export const dropDatabase = defineRule({
  finds: {
    "drop-database": {
      classes: ["destructive"],
      bad: "DROP DATABASE archive;",
      good: "-- Drop databases by hand, outside of migrations.",
    },
  },
  statement({ node }) {
    if (!("DropdbStmt" in node)) return [];
    const { dbname = "" } = node.DropdbStmt;
    return [
      {
        rule: "drop-database",
        severity: "error",
        target: dbname,
        what: `Drops database ${code(dbname)} with everything in it.`,
        who: "All users of the database.",
        howLong: permanent,
        irreversible: fromSnapshot,
      },
    ];
  },
});
