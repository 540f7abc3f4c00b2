import type { Node } from "libpg-query";
import { type Effect, Effects } from "../schema/effect";
import type { Expectation } from "../schema/expectation";
import type { Schema } from "../schema/schema";
import { keyOf } from "../sql/identifier";
import { tablesRead } from "../sql/references";
import { alterTable } from "./alter-table";
import { drop } from "./drop";
import type { Family, IsPartitioned, Opinion, Statement, StatementKind, Taker } from "./family";
import { indexes } from "./indexes";
import { maintenance } from "./maintenance";
import { policies } from "./policies";
import type { Remains } from "./remains";
import { rename } from "./rename";
import { type Defined, outside, type Replay } from "./replay-rules";
import { rights } from "./rights";
import { routines } from "./routines";
import { rows } from "./rows";
import { sequences } from "./sequences";
import { server } from "./server";
import { session } from "./session";
import { tables } from "./tables";
import { triggers } from "./triggers";
import { types } from "./types";
import type { Before, Undo } from "./undo";
import { views } from "./views";

const part: Statement = { opinion: { unknown: "it stands inside other statements only" } };

/**
 * The rules for each kind of statement. If a new version of the grammar adds a
 * kind, this doesn't compile until it is listed.
 */
export const statements: Family<StatementKind> = {
  ...tables,
  ...alterTable,
  ...indexes,
  ...views,
  ...types,
  ...sequences,
  ...routines,
  ...triggers,
  ...policies,
  ...rows,
  ...drop,
  ...rename,
  ...rights,
  ...session,
  ...maintenance,
  ...server,
  PLAssignStmt: part,
  RawStmt: part,
  ReplicaIdentityStmt: part,
  ReturnStmt: part,
  SetOperationStmt: part,
};

/** The rule for a statement that a newer grammar added and this program's types don't have. */
const unheardOf: Statement = { opinion: { unknown: "the review doesn't know it" } };

function isKnown(kind: string): kind is StatementKind {
  return kind in statements;
}

function find(node: Node): { tag: string; body: object; statement: Statement } {
  const [[tag, body] = ["", {}]] = Object.entries<object>(node);
  return { tag, body, statement: isKnown(tag) ? statements[tag] : unheardOf };
}

/** The name of a statement's kind as a person would write it: `CREATE INDEX CONCURRENTLY`, `ALTER TABLE`. */
export function kindOf(node: Node): string {
  const { tag, body, statement } = find(node);
  return statement.kind?.(body) ?? words(tag).toUpperCase();
}

/** Splits a tag into words: `CreateExtensionStmt` → `Create Extension`. */
function words(tag: string): string {
  return tag.replace(/Stmt$/, "").replace(/(?<=[a-z])(?=[A-Z])/g, " ");
}

/**
 * What a statement leaves. `object`: it makes, changes or drops an object, which the catalog shows. `unseen`: it changes
 * rows or runs code, and the catalog doesn't show whether it was run. `nothing`: nothing is left when it has ended.
 */
export type Trace = "object" | "unseen" | "nothing";

/** Returns what a statement leaves, as far as its kind shows. */
export function traceOf(node: Node): Trace {
  const { tag } = find(node);
  if (tag in session || tag === "VacuumStmt" || tag === "CheckPointStmt" || tag === "ReindexStmt") return "nothing";
  return tag in rows || tag === "DoStmt" || tag === "CallStmt" ? "unseen" : "object";
}

/**
 * Why Postgres refuses a statement inside a transaction (SQLSTATE 25001, or 2D000 for a DO block); undefined when it
 * doesn't. Each rule is checked against a running server by test/migrations/sql/transaction.test.ts.
 * @param partitioned looks up in the catalog what the text doesn't show (REINDEX and CLUSTER of a partitioned table)
 */
export function refusedInTransaction(
  node: Node,
  text: string,
  partitioned: IsPartitioned = () => false,
): string | undefined {
  const { body, statement } = find(node);
  return statement.refusedInTransaction?.(body, text, partitioned);
}

/**
 * The tables that a statement locks, with the lock modes and the work
 * during the lock. `schema` is the schema before it.
 */
export function effectOf(node: Node, schema: Schema): Effect {
  const { body, statement } = find(node);
  const effects = new Effects();
  statement.lock?.(body, schema, effects);
  const unknown = unknownOf(statement.opinion) ?? statement.unknown?.(body);
  if (unknown !== undefined) effects.cannotTell(unknown);
  const written = new Set(effects.done().tables.map(({ name }) => keyOf(name)));
  // ACCESS SHARE and ROW SHARE don't block an app's reads or writes. They are added to make the list complete.
  for (const { name, update } of tablesRead(node))
    if (!written.has(keyOf(name))) effects.touch(name, update ? "ROW SHARE" : "ACCESS SHARE");
  return effects.done();
}

function unknownOf(opinion: Opinion): string | undefined {
  return typeof opinion === "object" ? opinion.unknown : undefined;
}

/**
 * Updates the schema with what a statement does. A statement that changes
 * nothing that the review looks up has no effect.
 */
export function apply(node: Node, schema: Schema, migration: string): void {
  const { body, statement } = find(node);
  statement.apply?.(body, schema, migration);
}

/**
 * The catalog entries to be expected after a statement. A statement about rows
 * has none, because the catalog doesn't show rows.
 */
export function expectationsOf(node: Node, schema: string): Expectation[] {
  const { body, statement } = find(node);
  return statement.expect?.(body, schema) ?? [];
}

/** Returns a taker if it isn't known after the statement whether objects that were made before still exist. */
export function takerOf(node: Node): Taker | undefined {
  const { body, statement } = find(node);
  return statement.takesBack?.(body);
}

/**
 * What an interrupted statement may have left or completed; undefined if running it
 * again has the same result as running it once.
 */
export function remainsOf(node: Node): Remains | undefined {
  const { body, statement } = find(node);
  return statement.remains?.(body);
}

/**
 * How a statement is taken back, effect by effect, in the order of its effects. The schema is the one before it.
 */
export function undoOf(node: Node, before: Before): readonly Undo[] {
  const { tag, body, statement } = find(node);
  const never = "this program knows no statement that takes it back";
  return statement.undo?.(body, before) ?? [{ of: { kind: "other", key: words(tag).toLowerCase() }, never }];
}

/**
 * The kinds of objects that belong to the whole server or connect to something
 * outside of the database, as the grammar names them.
 */
const OUTSIDE =
  /ROLE|DATABASE|TABLESPACE|PARAMETER|FOREIGN_SERVER|FDW|SUBSCRIPTION|USER_MAPPING|EVENT_TRIGGER|LANGUAGE|LARGEOBJECT|TRANSFORM|CAST/;

/** The fields in which statements name a kind of object. */
const OBJECT_FIELDS = new Set(["objtype", "removeType", "renameType", "objectType"]);

/**
 * How a replay treats the next statement of a history. `defined` contains what the statements before it have defined.
 */
export function replayOf(node: Node, defined: Defined): Replay {
  const { tag, body, statement } = find(node);
  const described = tag === "DoStmt" ? "a DO block" : words(tag);
  if (Object.entries(body).some(([field, value]) => OBJECT_FIELDS.has(field) && OUTSIDE.test(String(value))))
    return outside(`it changes what ${described} shares or reaches`);
  return (
    statement.replay?.(body, defined) ??
    outside(`${described} is not among the statements that define something inside one database`)
  );
}
