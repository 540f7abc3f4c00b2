import type { ColumnType } from "../migrations/sql/column-type";
import type { Place } from "./datamodel";
import type { Default } from "./default-value";

/** A column. */
export interface DatabaseColumn {
  readonly name: string;
  /** The type; undefined if it isn't known. */
  readonly type: ColumnType | undefined;
  readonly required: boolean;
  readonly default: Default;
  readonly place?: Place;
}

/** An index, a unique constraint (which is an index too), or a primary key. */
export interface DatabaseIndex {
  readonly name: string;
  readonly kind: "primary" | "unique" | "index";
  readonly columns: readonly string[];
  readonly method: string;
  /** How each of `columns` is indexed. An operator class is undefined if it is the type's own. */
  readonly elements: readonly { readonly descending: boolean; readonly operatorClass?: string }[];
  /** Why it can't be compared. Default: it can. */
  readonly apart?: string;
  readonly place?: Place;
}

/** A foreign key. Its actions are abbreviated as Postgres does: `a` NO ACTION, `r` RESTRICT, `c` CASCADE, `n` SET NULL, `d` SET DEFAULT. */
export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** The key of the table that it references. */
  readonly references: string;
  readonly referenced: readonly string[];
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly place?: Place;
}

/** A table. */
export interface DatabaseTable {
  /** The name, with its schema unless that is `public`. */
  readonly key: string;
  readonly columns: ReadonlyMap<string, DatabaseColumn>;
  readonly indexes: readonly DatabaseIndex[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Why the table as a whole can't be compared. Default: it can. */
  readonly apart?: string;
  /** It is a view, which Prisma doesn't migrate. Default: false. */
  readonly isView?: boolean;
  /** Prisma made it for a relation of many to many, with a unique index until version 6 and a primary key since. */
  readonly joins?: boolean;
  readonly place?: Place;
}

/** An enum. */
export interface DatabaseEnum {
  readonly key: string;
  readonly values: readonly { readonly name: string; readonly place?: Place }[];
  readonly place?: Place;
}

/** The tables and enums that a Prisma schema asks for, or that a history makes. */
export interface Database {
  readonly tables: ReadonlyMap<string, DatabaseTable>;
  readonly enums: ReadonlyMap<string, DatabaseEnum>;
}
