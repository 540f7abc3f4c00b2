import { defineRule } from "./rule";
import { always } from "./words";

/** This rule reports SQL that Postgres' parser refuses. */
export const syntaxError = defineRule({
  finds: {
    "syntax-error": {
      classes: ["failing", "unknown"],
      bad: "ALTER TABLE users ADD COLUM nick TEXT;",
      good: "ALTER TABLE users ADD COLUMN nick TEXT;",
    },
  },
  closing(_, { plan: { error } }) {
    if (!error) return [];
    return [
      {
        rule: "syntax-error",
        severity: "error",
        target: `line ${error.line}`,
        what: `Postgres' parser refuses line ${error.line}, column ${error.column}: ${error.message}.`,
        who: "The release, which stops here unless the server is newer than the parser; the rest of the file isn't judged.",
        howLong: always,
      },
    ];
  },
});
