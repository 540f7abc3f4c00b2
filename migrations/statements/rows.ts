import type { CopyStmt, DeclareCursorStmt, InsertStmt, RangeVar, SelectStmt } from "libpg-query";
import { addQueryResult } from "../schema/definition";
import type { Effects } from "../schema/effect";
import { relationName, there } from "../schema/expectation";
import { emptiedBy } from "../schema/truncate";
import { nameOf } from "../sql/identifier";
import { isPureFunction } from "../sql/pure-functions";
import { analyzed, callsOf, tablesRead } from "../sql/references";
import type { Family, Statement } from "./family";
import { called, selects, setsPath, skipped } from "./replay-rules";
import { takenBySelect } from "./takers";

type RowKinds =
  | "InsertStmt"
  | "UpdateStmt"
  | "DeleteStmt"
  | "MergeStmt"
  | "TruncateStmt"
  | "CopyStmt"
  | "SelectStmt"
  | "DeclareCursorStmt"
  | "ExplainStmt"
  | "FetchStmt"
  | "ClosePortalStmt"
  | "PrepareStmt"
  | "ExecuteStmt"
  | "DeallocateStmt";

const changed: Statement<{ relation?: RangeVar }> = {
  opinion: "judged",
  lock: ({ relation }, _schema, effects) => relation && effects.touch(nameOf(relation), "ROW EXCLUSIVE", "rows"),
  replay: skipped,
};

/** Statements that read or change rows. */
export const rows: Family<RowKinds> = {
  InsertStmt: {
    ...changed,
    kind: () => "INSERT",
    lock: ({ relation, selectStmt }, _schema, effects) =>
      relation && effects.touch(nameOf(relation), "ROW EXCLUSIVE", isSelection(selectStmt) ? "rows" : "none"),
  },
  UpdateStmt: { ...changed, kind: () => "UPDATE" },
  DeleteStmt: { ...changed, kind: () => "DELETE" },
  MergeStmt: { ...changed, kind: () => "MERGE" },
  TruncateStmt: {
    opinion: "judged",
    kind: () => "TRUNCATE",
    lock(statement, schema, effects) {
      for (const name of emptiedBy(statement, schema)) effects.touch(name, "ACCESS EXCLUSIVE");
    },
    replay: skipped,
  },
  CopyStmt: { opinion: "judged", kind: () => "COPY", lock: lockCopied, unknown: reachesServer, replay: skipped },
  SelectStmt: {
    opinion: "judged",
    kind: () => "SELECT",
    unknown: callsUnknown,
    apply({ intoClause }, schema, migration) {
      if (intoClause?.rel) addQueryResult(intoClause.rel, "table", schema, migration);
    },
    expect: ({ intoClause }, schema) =>
      intoClause?.rel ? [there(`table ${relationName(intoClause.rel, schema)}`)] : [],
    takesBack: takenBySelect,
    replay(statement, defined) {
      if (statement.intoClause) return selects(statement, defined);
      return called(statement, defined) ?? (setsPath(statement) ? "run" : "skip");
    },
  },
  DeclareCursorStmt: { opinion: "harmless", unknown: callsUnknown },
  ExplainStmt: {
    opinion: "judged",
    lock(statement, _schema, effects) {
      const query = analyzed(statement);
      if (!query || !("SelectStmt" in query)) return;
      const unknown = callsUnknown(query.SelectStmt);
      if (unknown !== undefined) effects.cannotTell(unknown);
      for (const { name, update } of tablesRead(query)) effects.touch(name, update ? "ROW SHARE" : "ACCESS SHARE");
    },
  },
  FetchStmt: { opinion: "harmless" },
  ClosePortalStmt: { opinion: "harmless" },
  PrepareStmt: { opinion: "harmless" },
  ExecuteStmt: { opinion: { unknown: "it runs a prepared statement" } },
  DeallocateStmt: { opinion: "harmless" },
};

/** Whether an INSERT takes its rows from a query, which may return many. */
function isSelection(select: InsertStmt["selectStmt"]): boolean {
  if (!select || !("SelectStmt" in select)) return false;
  return (select.SelectStmt.valuesLists ?? []).length === 0 && select.SelectStmt.fromClause !== undefined;
}

function lockCopied({ relation, is_from }: CopyStmt, _schema: unknown, effects: Effects): void {
  if (relation) effects.touch(nameOf(relation), is_from ? "ROW EXCLUSIVE" : "ACCESS SHARE");
}

function reachesServer({ is_from, filename, is_program }: CopyStmt): string | undefined {
  if (is_from || filename === undefined) return undefined;
  return is_program ? "it runs a program on the database's server" : "it writes a file on the database's server";
}

function callsUnknown(statement: SelectStmt | DeclareCursorStmt): string | undefined {
  const unknown = callsOf(statement).find(({ name }) => !isPureFunction(name));
  return unknown && `what the function ${unknown.name} does is decided while it runs`;
}
