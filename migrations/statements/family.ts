import type { AlterTableCmd, DropStmt, Node, ObjectType, RangeVar } from "libpg-query";
import type { Effects, Work } from "../schema/effect";
import type { Expectation } from "../schema/expectation";
import type { Table } from "../schema/objects";
import type { Schema } from "../schema/schema";
import type { Name } from "../sql/identifier";
import type { LockMode } from "../sql/locks";
import type { Remains } from "./remains";
import type { Defined, Replay } from "./replay-rules";
import type { Before, Undo } from "./undo";

type Tag<N> = N extends unknown ? keyof N : never;
/** Every kind of statement in Postgres' grammar. */
export type StatementKind = Extract<Tag<Node>, `${string}Stmt`>;
/** The syntax tree of a statement of one kind. */
export type Body<K extends StatementKind> = Node extends infer N
  ? N extends { readonly [T in K]: infer B extends object }
    ? B
    : never
  : never;

/**
 * How the review treats a kind of statement: `judged` has rules of its own; `harmless` affects neither the app nor the
 * stored data, so there is nothing to report; `unknown` contains the reason why the text doesn't show what the
 * statement does, which is reported as `not-judged`.
 */
export type Opinion = "judged" | "harmless" | { readonly unknown: string };

/** A statement after which it isn't known whether objects that were made before still exist. */
export interface Taker {
  /** The statement's name for a person. */
  readonly by: string;
  /** A text in which every affected object is named; undefined if any object may be affected. */
  readonly named?: string;
}

/**
 * Whether a relation is partitioned. This is looked up in the catalog, because the statement's text doesn't show it.
 */
export type IsPartitioned = (schema: string | undefined, name: string) => boolean;

/** The rules for one kind of statement. */
export interface Statement<B extends object = object> {
  readonly opinion: Opinion;
  /**
   * The statement's name in SQL: `CREATE INDEX CONCURRENTLY`. Default: the grammar's
   * name in words, `CreateRoleStmt` → `CREATE ROLE`.
   */
  kind?(body: B): string;
  /** The reason why the review can't determine what this statement does, where that depends on more than its kind. */
  unknown?(body: B): string | undefined;
  /** The reason why Postgres refuses the statement inside a transaction (SQLSTATE 25001, or 2D000 for a DO block). */
  refusedInTransaction?(body: B, text: string, partitioned: IsPartitioned): string | undefined;
  /**
   * Records the tables that the statement locks, the lock modes, and the work
   * during the lock. `schema` is the schema before it.
   */
  lock?(body: B, schema: Schema, effects: Effects): void;
  /**
   * Updates the schema with what the statement does.
   * @param migration the name of the migration that contains the statement
   */
  apply?(body: B, schema: Schema, migration: string): void;
  /**
   * The catalog entries to be expected after the statement.
   * @param schema the schema of names that are written without one
   */
  expect?(body: B, schema: string): Expectation[];
  /** Returns a taker if the statement may drop or undo what was made before. */
  takesBack?(body: B): Taker | undefined;
  /** Whether a replay, which runs the migrations beside the real databases, runs the statement. Default: it doesn't. */
  replay?(body: B, defined: Defined): Replay;
  /**
   * What the statement leaves behind when it is interrupted outside a transaction. Default: nothing, because running it
   * again has the same result as running it once.
   */
  remains?(body: B): Remains | undefined;
  /**
   * How the statement is taken back, in the order of its effects; empty if there is nothing to take back. Default: no
   * inverse is known.
   */
  undo?(body: B, before: Before): readonly Undo[];
}

/** A group of related kinds of statements. */
export type Family<K extends StatementKind> = { readonly [T in K]: Statement<Body<T>> };

/** The rules for DROP of one kind of object. */
export interface Dropped {
  readonly opinion: Opinion;
  /** The word for such an object in the keys of the catalog's entries. */
  readonly entry?: string;
  lock?(name: Name, schema: Schema, effects: Effects, statement: DropStmt, object: Node): void;
  apply?(name: Name, schema: Schema, statement: DropStmt, object: Node): void;
  /**
   * How the DROP is taken back. Default, also where it is undefined: by the statement of the history that made the
   * object.
   */
  undo?(name: Name, before: Before, statement: DropStmt, object: Node): readonly Undo[] | undefined;
}

/** A group of kinds of objects whose DROP is related. */
export type Drops<K extends ObjectType> = { readonly [T in K]: Dropped };

/** The context in which a subcommand of ALTER TABLE runs. */
export interface Altered {
  readonly relation: RangeVar;
  readonly name: Name;
  /** The table; undefined where it isn't known from the history. */
  readonly table: Table | undefined;
  readonly schema: Schema;
  readonly effects: Effects;
  /** Records work that the subcommand does under its own lock. */
  on(work: Work, because?: string, uncertain?: boolean): void;
}

/** The rules for one subcommand of ALTER TABLE. */
export interface Subcommand {
  readonly opinion: Opinion;
  /**
   * The lock that the subcommand needs on the table; default: ACCESS EXCLUSIVE. Source: PostgreSQL documentation, ALTER
   * TABLE; AlterTableGetLockLevel.
   */
  readonly lock?: LockMode | ((cmd: AlterTableCmd) => LockMode);
  /** Records the work during the lock, and the other tables that are locked. */
  work?(cmd: AlterTableCmd, on: Altered): void;
  /** Updates the schema with what the subcommand does. */
  apply?(cmd: AlterTableCmd, table: Table, schema: Schema): void;
  /** Records the dependencies between objects, after `apply` of every subcommand of the statement. */
  depend?(cmd: AlterTableCmd, table: string, schema: Schema): void;
  /**
   * The catalog entries to be expected after the subcommand.
   * @param table the table's name in the form of the catalog's keys
   */
  expect?(cmd: AlterTableCmd, table: string): Expectation[];
  /** How the subcommand is taken back, as {@link Statement.undo} says. */
  undo?(cmd: AlterTableCmd, before: AlteredBefore): readonly Undo[];
}

/** What is known when a subcommand of ALTER TABLE is taken back. */
export interface AlteredBefore extends Before {
  readonly name: Name;
  /** The key of the table. */
  readonly key: string;
  /** The table; undefined where it isn't known from the history. */
  readonly table: Table | undefined;
  /** The statement alters a composite type, whose parts are its attributes. */
  readonly isType: boolean;
  /** Writes an ALTER of the same object: `ALTER TABLE notes DROP COLUMN colour`. */
  alter(command: string): string;
}

const objects: Partial<Record<ObjectType, string>> = {
  OBJECT_MATVIEW: "MATERIALIZED VIEW",
  OBJECT_FOREIGN_TABLE: "FOREIGN TABLE",
  OBJECT_TABCONSTRAINT: "CONSTRAINT",
  OBJECT_DOMCONSTRAINT: "DOMAIN CONSTRAINT",
};

/** The name of a kind of object in SQL: `MATERIALIZED VIEW`. */
export function objectName(type: ObjectType | undefined): string {
  return (type && objects[type]) ?? (type ?? "OBJECT").replace("OBJECT_", "").replaceAll("_", " ");
}
