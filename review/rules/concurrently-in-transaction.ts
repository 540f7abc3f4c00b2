import { refusedInTransaction } from "../../migrations/statements/statements";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports a statement between BEGIN and COMMIT or in a DO block that can't run in a transaction. */
export const concurrentlyInTransaction = defineRule({
  finds: {
    "concurrently-in-transaction": {
      classes: ["failing"],
      bad: "BEGIN;\nCREATE INDEX CONCURRENTLY posts_title_idx ON posts (title);\nCOMMIT;",
    },
  },
  statement({ node, text, inside, line }) {
    const kind = inside && !("DoStmt" in node) ? refusedInTransaction(node, text) : undefined;
    if (kind === undefined) return [];
    const note = "Write it as a statement of its own, in a migration of its own.";
    return [refused(line, `${kind} stands in a DO block, where Postgres refuses it.`, { migrations: [], note })];
  },
  closing(statements) {
    let open = false;
    return statements.flatMap((at) => {
      if (at.control === "begin") open = true;
      else if (at.control === "commit" || at.control === "rollback") open = false;
      else if (open && !at.canRunInTransaction) {
        const what = `${at.outsideTransaction} stands between BEGIN and COMMIT, where Postgres refuses it.`;
        const safe = { migrations: [`${at.text};`], note: "In a migration of its own, without BEGIN and COMMIT." };
        return [{ ...refused(at.line, what, safe), at }];
      }
      return [];
    });
  },
});

function refused(line: number, what: string, safe: { migrations: string[]; note: string }) {
  return {
    rule: "concurrently-in-transaction" as const,
    severity: "error" as const,
    target: `line ${line}`,
    what,
    who: stops,
    howLong: always,
    safe,
  };
}
