import type { Node } from "libpg-query";
import type { Migration } from "../migrations/history/history";
import { Schema } from "../migrations/schema/schema";
import { TemporaryNames } from "../migrations/schema/temporary";
import { keyOf, nameOf } from "../migrations/sql/identifier";
import { insideDo } from "../migrations/sql/inside-do";
import { type ParsedStatement, parseScript, ScriptError } from "../migrations/sql/parse";
import { callsOf } from "../migrations/sql/references";
import { apply, takerOf } from "../migrations/statements/statements";

/** A statement whose effect on tables the text doesn't show for certain. */
export interface Doubt {
  readonly migration: string;
  readonly line: number;
  /** Why, as a clause: `it runs SQL that is made at run time`. */
  readonly why: string;
  /** The words of the statement, by which it may concern an object; undefined if it may concern any. */
  readonly words?: ReadonlySet<string>;
  /** It concerns only what it names itself, and not everything of the tables that it names. */
  readonly exact: boolean;
}

/** The schema that a history makes, and the statements that leave a doubt about it. */
export interface FollowedHistory {
  readonly schema: Schema;
  readonly doubts: readonly Doubt[];
}

/** Follows every statement of a history. Needs the SQL parser to be loaded. */
export function followHistory(history: readonly Migration[]): FollowedHistory {
  const schema = new Schema();
  const doubts: Doubt[] = [];
  for (const { name, sql } of history) {
    const temporary = new TemporaryNames();
    const doubt = (line: number, found: Omit<Doubt, "migration" | "line">) =>
      doubts.push({ migration: name, line, ...found });
    try {
      for (const statement of parseScript(sql)) {
        const found = doubtOf(statement, schema);
        if (found) doubt(statement.line, found);
        for (const node of nodesOf(statement)) apply(temporary.qualify(node), schema, name);
      }
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      doubt(error.line, { why: "it isn't valid SQL from there on", words: wordsOf(sql), exact: false });
    }
  }
  return { schema, doubts };
}

function nodesOf({ node, text }: ParsedStatement) {
  return "DoStmt" in node ? (insideDo(text) ?? []).map((inner) => inner.node) : [node];
}

function doubtOf({ node, text }: ParsedStatement, schema: Schema): Omit<Doubt, "migration" | "line"> | undefined {
  if ("DoStmt" in node) return doubtOfDo(text);
  if ("VariableSetStmt" in node && node.VariableSetStmt.name === "search_path" && !/\bpublic\b/.test(text))
    return { why: "it changes search_path", exact: false };
  if ("SelectStmt" in node || "CallStmt" in node) {
    const called = callsOf(node).map((call) => schema.routines.get(call.name.replace(/^public\./, "")));
    const own = called.filter((routine) => routine !== undefined);
    if (own.length === 0) return undefined;
    const why = "it calls a function that may change tables";
    if (own.some(({ mentions }) => mentions === undefined)) return { why, exact: false };
    return {
      why,
      words: new Set([...wordsOf(text), ...own.flatMap(({ mentions }) => [...(mentions ?? [])])]),
      exact: false,
    };
  }
  if (dropsOthers(node, schema)) return { why: "what depends on the dropped object is dropped with it", exact: false };
  if ("AlterObjectSchemaStmt" in node && node.AlterObjectSchemaStmt.objectType === "OBJECT_TYPE")
    return { why: "it moves a type to another schema", exact: false };
  if ("CreateStmt" in node && (node.CreateStmt.tableElts ?? []).some((each) => "TableLikeClause" in each))
    return { why: "LIKE copies what the text doesn't show", words: wordsOf(text), exact: false };
  return undefined;
}

/** Whether CASCADE may drop what isn't followed. Of a table, the foreign keys to it are followed. */
function dropsOthers(node: Node, schema: Schema): boolean {
  if (!takerOf(node)) return false;
  if ("DropStmt" in node) return node.DropStmt.removeType !== "OBJECT_TABLE";
  const table = "AlterTableStmt" in node ? node.AlterTableStmt.relation : undefined;
  return table !== undefined && schema.referencing(keyOf(nameOf(table))).length > 0;
}

function doubtOfDo(text: string): Omit<Doubt, "migration" | "line"> {
  const words = wordsOf(text);
  if (insideDo(text)) return { why: "the statements in its DO block may be skipped", words, exact: true };
  const why = "it runs SQL that is made at run time";
  // SQL in a loop may take the names of tables from the catalog.
  return /\bLOOP\b/i.test(text) ? { why, exact: false } : { why, words, exact: false };
}

function wordsOf(text: string): Set<string> {
  return new Set(text.split(/[^\p{L}\p{N}_$]+/u));
}

/** The first statement that leaves a doubt about a part of a table, or about the table or type itself. */
export function doubtAbout(doubts: readonly Doubt[], whole: string, part?: string): Doubt | undefined {
  const named = (words: ReadonlySet<string>, name: string) =>
    words.has(name) || name.split(/[^\p{L}\p{N}_$]+/u).every((word) => words.has(word));
  return doubts.find(({ words, exact }) => {
    if (!words) return true;
    if (part !== undefined && named(words, part)) return true;
    return (part === undefined || !exact) && named(words, whole);
  });
}
