import type { Node } from "libpg-query";
import { textOf } from "../sql/constant";
import { nameOf } from "../sql/identifier";
import { lockModes } from "../sql/locks";
import type { Family } from "./family";
import { defines, isPowerful, outside, skipped } from "./replay-rules";

/** A statement that changes nothing beyond its session or transaction, so there is nothing to take back. */
const undo = () => [];

type SessionKinds =
  | "TransactionStmt"
  | "ConstraintsSetStmt"
  | "LockStmt"
  | "VariableSetStmt"
  | "VariableShowStmt"
  | "DiscardStmt"
  | "ListenStmt"
  | "UnlistenStmt"
  | "NotifyStmt"
  | "LoadStmt";

/** Statements that control a session's transactions, settings and messages. */
export const session: Family<SessionKinds> = {
  TransactionStmt: {
    opinion: "judged",
    kind: ({ kind = "" }) => kind.replace("TRANS_STMT_", "").replaceAll("_", " "),
    unknown: ({ kind = "" }) =>
      /_PREPARED$/.test(kind) ? "what the prepared transaction did stands somewhere else" : undefined,
    refusedInTransaction({ kind }) {
      if (kind === "TRANS_STMT_COMMIT_PREPARED") return "COMMIT PREPARED";
      return kind === "TRANS_STMT_ROLLBACK_PREPARED" ? "ROLLBACK PREPARED" : undefined;
    },
    undo,
    replay: ({ kind = "" }) => (/PREPARE/.test(kind) ? outside("it prepares a transaction") : "run"),
  },
  ConstraintsSetStmt: { opinion: "harmless", replay: skipped, undo },
  LockStmt: {
    opinion: "judged",
    kind: () => "LOCK TABLE",
    // The parser numbers the lock modes from 1, which is the weakest.
    lock({ relations, mode = lockModes.length }, _schema, effects) {
      for (const item of relations ?? [])
        if ("RangeVar" in item) effects.touch(nameOf(item.RangeVar), lockModes[mode - 1] ?? "ACCESS EXCLUSIVE");
    },
    replay: skipped,
    undo,
  },
  VariableSetStmt: {
    opinion: "judged",
    kind: () => "SET",
    apply({ name, args }, schema) {
      if (name === "timezone") schema.utc = isUtc(args?.[0]);
    },
    undo,
    replay: ({ name = "" }) => (isPowerful(name) ? outside("it takes on another role") : "run"),
  },
  VariableShowStmt: { opinion: "harmless", kind: () => "SHOW", replay: skipped, undo },
  DiscardStmt: {
    opinion: "harmless",
    kind: () => "DISCARD",
    refusedInTransaction: ({ target }) => (target === "DISCARD_ALL" ? "DISCARD ALL" : undefined),
    replay: defines,
    undo,
  },
  ListenStmt: { opinion: "harmless", replay: skipped, undo },
  UnlistenStmt: { opinion: "harmless", replay: skipped, undo },
  NotifyStmt: { opinion: "harmless", replay: skipped, undo },
  LoadStmt: { opinion: { unknown: "the library that it loads may do anything" } },
};

/** What a statement does to the transaction in which it runs. */
export type TransactionControl = "begin" | "commit" | "rollback" | "savepoint" | "prepare";

const controls: Readonly<Record<string, TransactionControl>> = {
  TRANS_STMT_BEGIN: "begin",
  TRANS_STMT_START: "begin",
  TRANS_STMT_COMMIT: "commit",
  TRANS_STMT_ROLLBACK: "rollback",
  TRANS_STMT_SAVEPOINT: "savepoint",
  TRANS_STMT_RELEASE: "savepoint",
  TRANS_STMT_ROLLBACK_TO: "savepoint",
  TRANS_STMT_PREPARE: "prepare",
};

/** What a statement does to the transaction in which it runs; undefined if it does nothing to it. */
export function transactionControl(node: Node): TransactionControl | undefined {
  return "TransactionStmt" in node ? controls[node.TransactionStmt.kind ?? ""] : undefined;
}

/**
 * Whether a value of TimeZone is a zone whose offset is always 0, under which timestamp and timestamptz are stored
 * alike. Source: PostgreSQL, TimestampTimestampTzRequiresRewrite.
 */
function isUtc(value: Node | undefined): boolean {
  const zone = value && "A_Const" in value ? textOf(value) : undefined;
  return zone !== undefined && /^(etc\/)?(utc|gmt|uct|zulu|universal|greenwich)$/i.test(zone);
}
