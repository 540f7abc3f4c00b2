import type { CopyStmt, DeclareCursorStmt, InsertStmt, RangeVar, SelectStmt } from "libpg-query";
import { addQueryResult } from "../schema/definition";
import type { Effects } from "../schema/effect";
import { relationName, there } from "../schema/expectation";
import { emptiedBy } from "../schema/truncate";
import { keyOf, nameOf } from "../sql/identifier";
import { isPureFunction } from "../sql/pure-functions";
import { analyzed, callsOf, tablesRead } from "../sql/references";
import type { Family, Statement } from "./family";
import { called, selects, setsPath, skipped } from "./replay-rules";
import { dropMade } from "./tables";
import { takenBySelect } from "./takers";
import type { NoInverse } from "./undo";

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

/** A change of rows, which no SQL takes back. It goes with its table, or with all `columns` that it writes. */
function rowsOf(relation: RangeVar | undefined, never: string, columns?: readonly string[]): NoInverse[] {
  if (!relation) return [];
  const of = { kind: "table", key: keyOf(nameOf(relation)) } as const;
  return [{ of, never, ...(columns && columns.length > 0 && { columns, every: true }) }];
}

/** A call whose effects the text doesn't show. A query without one has nothing to take back. */
function callsOnly(statement: SelectStmt | DeclareCursorStmt): NoInverse[] {
  const calls = callsOf(statement).filter(({ name }) => !isPureFunction(name) || /^(setval|nextval)$/.test(name));
  const [call] = calls;
  if (!call) return [];
  const never = /^(setval|nextval)$/.test(call.name)
    ? "the value at which the sequence stood is not kept"
    : `what the function ${call.name} did is decided while it runs`;
  return [{ of: { kind: "other", key: `${call.name}()` }, never }];
}

const undo = () => [];

/** Statements that read or change rows. */
export const rows: Family<RowKinds> = {
  InsertStmt: {
    ...changed,
    kind: () => "INSERT",
    lock: ({ relation, selectStmt }, _schema, effects) =>
      relation && effects.touch(nameOf(relation), "ROW EXCLUSIVE", isSelection(selectStmt) ? "rows" : "none"),
    undo: ({ relation }) => rowsOf(relation, "the rows that it wrote are not told apart from others"),
  },
  UpdateStmt: {
    ...changed,
    kind: () => "UPDATE",
    undo: ({ relation, targetList = [] }) =>
      rowsOf(
        relation,
        "the values before it are not kept",
        targetList.flatMap((item) => ("ResTarget" in item ? (item.ResTarget.name ?? []) : [])),
      ),
  },
  DeleteStmt: { ...changed, kind: () => "DELETE", undo: ({ relation }) => rowsOf(relation, "its rows are gone") },
  MergeStmt: {
    ...changed,
    kind: () => "MERGE",
    undo: ({ relation }) => rowsOf(relation, "the rows before it are not kept"),
  },
  TruncateStmt: {
    opinion: "judged",
    kind: () => "TRUNCATE",
    lock(statement, schema, effects) {
      for (const name of emptiedBy(statement, schema)) effects.touch(name, "ACCESS EXCLUSIVE");
    },
    replay: skipped,
    undo: (statement, { schema }) =>
      emptiedBy(statement, schema).map((name) => ({
        of: { kind: "table", key: keyOf(name) },
        never: "its rows are gone",
      })),
  },
  CopyStmt: {
    opinion: "judged",
    kind: () => "COPY",
    lock: lockCopied,
    unknown: reachesServer,
    replay: skipped,
    undo: ({ relation, is_from }) =>
      is_from ? rowsOf(relation, "the rows that it wrote are not told apart from others") : [],
  },
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
    undo: (statement, before) => {
      const rel = statement.intoClause?.rel;
      return rel ? dropMade("TABLE", nameOf(rel), false, before) : callsOnly(statement);
    },
    replay(statement, defined) {
      if (statement.intoClause) return selects(statement, defined);
      return called(statement, defined) ?? (setsPath(statement) ? "run" : "skip");
    },
  },
  DeclareCursorStmt: { opinion: "harmless", unknown: callsUnknown, undo: callsOnly },
  ExplainStmt: {
    opinion: "judged",
    undo: (statement) =>
      analyzed(statement) ? [{ of: { kind: "other", key: "EXPLAIN ANALYZE" }, never: "it ran its query" }] : [],
    lock(statement, _schema, effects) {
      const query = analyzed(statement);
      if (!query || !("SelectStmt" in query)) return;
      const unknown = callsUnknown(query.SelectStmt);
      if (unknown !== undefined) effects.cannotTell(unknown);
      for (const { name, update } of tablesRead(query)) effects.touch(name, update ? "ROW SHARE" : "ACCESS SHARE");
    },
  },
  FetchStmt: { opinion: "harmless", undo },
  ClosePortalStmt: { opinion: "harmless", undo },
  PrepareStmt: { opinion: "harmless", undo },
  ExecuteStmt: { opinion: { unknown: "it runs a prepared statement" } },
  DeallocateStmt: { opinion: "harmless", undo },
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
