import type { AlterTableCmd, DropStmt, Node, ObjectType, RangeVar } from "libpg-query";
import type { Effects, Work } from "../schema/effect";
import type { Expectation } from "../schema/expectation";
import type { Table } from "../schema/objects";
import type { Schema } from "../schema/schema";
import type { Name } from "../sql/identifier";
import type { LockMode } from "../sql/locks";
import type { Remains } from "./remains";
import type { Defined, Replay } from "./replay-rules";

type Tag<N> = N extends unknown ? keyof N : never;
/** Every kind of statement that Postgres' grammar knows. */
export type StatementKind = Extract<Tag<Node>, `${string}Stmt`>;
/** The tree of a statement of one kind. */
export type Body<K extends StatementKind> = Node extends infer N
  ? N extends { readonly [T in K]: infer B extends object }
    ? B
    : never
  : never;

/**
 * What the review makes of a kind of statement: `judged` by rules of its own; `harmless` to the app and to what is stored, so that
 * there is nothing to say; or why nobody can tell from its text what it does, which is reported as `not-judged`.
 */
export type Opinion = "judged" | "harmless" | { readonly unknown: string };

/** A statement after which it isn't known whether what was made before it is still there. */
export interface Taker {
  /** What it is, for a person. */
  readonly by: string;
  /** Only what this text names may be concerned; everything where it is undefined. */
  readonly named?: string;
}

/** Whether a relation is partitioned, which only the catalog tells. */
export type IsPartitioned = (schema: string | undefined, name: string) => boolean;

/** Everything that this program knows of one kind of statement. */
export interface Statement<B extends object = object> {
  readonly opinion: Opinion;
  /** What a person calls it: `CREATE INDEX CONCURRENTLY`. Without it, what the grammar calls it: `CreateRoleStmt` → `CREATE ROLE`. */
  kind?(body: B): string;
  /** Why the review can't tell what this one does, where that depends on more than its kind. */
  unknown?(body: B): string | undefined;
  /** Why Postgres refuses it inside a transaction (SQLSTATE 25001, or 2D000 for a DO block). */
  refusedInTransaction?(body: B, text: string, partitioned: IsPartitioned): string | undefined;
  /** The tables it locks, how, and for what work, given what the history made before it. */
  lock?(body: B, schema: Schema, effects: Effects): void;
  /** Enters what it does into the schema. @param migration the name of the migration that it stands in */
  apply?(body: B, schema: Schema, migration: string): void;
  /** What the catalog has after it. @param schema of names that are written without one */
  expect?(body: B, schema: string): Expectation[];
  /** Set where it may take back what was made before. */
  takesBack?(body: B): Taker | undefined;
  /** Whether a replay beside the real databases runs it; without it, it doesn't. */
  replay?(body: B, defined: Defined): Replay;
  /** What it leaves when it is interrupted outside a transaction; without it, doing it twice is doing it once. */
  remains?(body: B): Remains | undefined;
}

/** Kinds of statements that belong together. */
export type Family<K extends StatementKind> = { readonly [T in K]: Statement<Body<T>> };

/** What DROP of one kind of object does. */
export interface Dropped {
  readonly opinion: Opinion;
  /** How the catalog's entries name such an object. */
  readonly entry?: string;
  lock?(name: Name, schema: Schema, effects: Effects, statement: DropStmt, object: Node): void;
  apply?(name: Name, schema: Schema, statement: DropStmt, object: Node): void;
}

/** Kinds of objects whose DROP belongs together. */
export type Drops<K extends ObjectType> = { readonly [T in K]: Dropped };

/** What a subcommand of ALTER TABLE works on. */
export interface Altered {
  readonly relation: RangeVar;
  readonly name: Name;
  /** Undefined where the history doesn't tell. */
  readonly table: Table | undefined;
  readonly schema: Schema;
  readonly effects: Effects;
  /** Notes the work that it does under its own lock. */
  on(work: Work, because?: string, uncertain?: boolean): void;
}

/** Everything that this program knows of one subcommand of ALTER TABLE. */
export interface Subcommand {
  readonly opinion: Opinion;
  /** The lock it needs on the table; ACCESS EXCLUSIVE without it. Source: PostgreSQL documentation, ALTER TABLE; AlterTableGetLockLevel. */
  readonly lock?: LockMode | ((cmd: AlterTableCmd) => LockMode);
  /** What it does while it holds its lock, and which other tables it locks. */
  work?(cmd: AlterTableCmd, on: Altered): void;
  /** Enters what it does into the schema. */
  apply?(cmd: AlterTableCmd, table: Table, schema: Schema): void;
  /** Enters what depends on what; every subcommand of the statement has been applied before. */
  depend?(cmd: AlterTableCmd, table: string, schema: Schema): void;
  /** What the catalog has after it. @param table as the catalog's keys name it */
  expect?(cmd: AlterTableCmd, table: string): Expectation[];
}

const objects: Partial<Record<ObjectType, string>> = {
  OBJECT_MATVIEW: "MATERIALIZED VIEW",
  OBJECT_FOREIGN_TABLE: "FOREIGN TABLE",
  OBJECT_TABCONSTRAINT: "CONSTRAINT",
  OBJECT_DOMCONSTRAINT: "DOMAIN CONSTRAINT",
};

/** A kind of object as SQL calls it: `MATERIALIZED VIEW`. */
export function objectName(type: ObjectType | undefined): string {
  return (type && objects[type]) ?? (type ?? "OBJECT").replace("OBJECT_", "").replaceAll("_", " ");
}
