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
import { views } from "./views";

const part: Statement = { opinion: { unknown: "it stands inside other statements only" } };

/** What is known of each kind of statement; a new version of the grammar doesn't compile until it is extended. */
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

/** A statement of a grammar that is newer than this program's types. */
const unheardOf: Statement = { opinion: { unknown: "the review doesn't know it" } };

function isKnown(kind: string): kind is StatementKind {
  return kind in statements;
}

function find(node: Node): { tag: string; body: object; statement: Statement } {
  const [[tag, body] = ["", {}]] = Object.entries<object>(node);
  return { tag, body, statement: isKnown(tag) ? statements[tag] : unheardOf };
}

/** What a statement is, as a person would call it: `CREATE INDEX CONCURRENTLY`, `ALTER TABLE`. */
export function kindOf(node: Node): string {
  const { tag, body, statement } = find(node);
  return statement.kind?.(body) ?? words(tag).toUpperCase();
}

/** `CreateExtensionStmt` → `Create Extension`. */
function words(tag: string): string {
  return tag.replace(/Stmt$/, "").replace(/(?<=[a-z])(?=[A-Z])/g, " ");
}

/**
 * Why Postgres refuses a statement inside a transaction (SQLSTATE 25001, or 2D000 for a DO block), or undefined when it
 * doesn't. Every rule is confirmed against a running server by test/migrations/sql/transaction.test.ts.
 * @param partitioned tells what depends on the catalog and not on the text (REINDEX and CLUSTER of a partitioned table)
 */
export function refusedInTransaction(
  node: Node,
  text: string,
  partitioned: IsPartitioned = () => false,
): string | undefined {
  const { body, statement } = find(node);
  return statement.refusedInTransaction?.(body, text, partitioned);
}

/** The tables a statement locks, how, and for what work, given what the history made before it. */
export function effectOf(node: Node, schema: Schema): Effect {
  const { body, statement } = find(node);
  const effects = new Effects();
  statement.lock?.(body, schema, effects);
  const unknown = unknownOf(statement.opinion) ?? statement.unknown?.(body);
  if (unknown !== undefined) effects.cannotTell(unknown);
  const written = new Set(effects.done().tables.map(({ name }) => keyOf(name)));
  // The weakest locks, which block nobody, for the sake of completeness.
  for (const { name, update } of tablesRead(node))
    if (!written.has(keyOf(name))) effects.touch(name, update ? "ROW SHARE" : "ACCESS SHARE");
  return effects.done();
}

function unknownOf(opinion: Opinion): string | undefined {
  return typeof opinion === "object" ? opinion.unknown : undefined;
}

/** Enters what a statement does into the schema. Statements that don't change what the review asks for change nothing. */
export function apply(node: Node, schema: Schema, migration: string): void {
  const { body, statement } = find(node);
  statement.apply?.(body, schema, migration);
}

/** What the catalog has after a statement. Rows can't be told by the catalog: such statements promise nothing. */
export function expectationsOf(node: Node, schema: string): Expectation[] {
  const { body, statement } = find(node);
  return statement.expect?.(body, schema) ?? [];
}

/** Set where it isn't known after a statement whether what was made before is still there. */
export function takerOf(node: Node): Taker | undefined {
  const { body, statement } = find(node);
  return statement.takesBack?.(body);
}

/** What an interrupted statement may have left, or may have completed; undefined where doing it twice is doing it once. */
export function remainsOf(node: Node): Remains | undefined {
  const { body, statement } = find(node);
  return statement.remains?.(body);
}

/** Kinds of objects that belong to the whole server or reach out of the database, as the grammar names them. */
const OUTSIDE =
  /ROLE|DATABASE|TABLESPACE|PARAMETER|FOREIGN_SERVER|FDW|SUBSCRIPTION|USER_MAPPING|EVENT_TRIGGER|LANGUAGE|LARGEOBJECT|TRANSFORM|CAST/;

/** Fields in which statements name a kind of object. */
const OBJECT_FIELDS = new Set(["objtype", "removeType", "renameType", "objectType"]);

/** Judges the next statement of a history for a replay; `defined` holds what the statements before it have defined. */
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
