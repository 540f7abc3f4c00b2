import type { Node } from "libpg-query";
import type { ColumnType } from "../sql/column-type";
import type { Name } from "../sql/identifier";

/** A column, as far as it is known from the history. */
export interface Column {
  name: string;
  /** The type; undefined when the column was made in a way that can't be tracked (CREATE TABLE AS). */
  type: ColumnType | undefined;
  /** The collation that COLLATE names; undefined for the type's own collation. */
  collation?: string;
  notNull: boolean;
  /** The column has a default or generates its value (serial, identity, generated). */
  filled: boolean;
  /** Where its value comes from if a row doesn't set it. Default: it is NULL. */
  source?: ColumnSource | undefined;
}

/** The source of a column's value: its DEFAULT, a sequence of its own (serial, identity), or other columns. */
export type ColumnSource =
  | { readonly kind: "default"; readonly expression: Node }
  | { readonly kind: "sequence" }
  | { readonly kind: "generated" };

/** A constraint of a table. */
export interface Constraint {
  name: string;
  kind: "check" | "unique" | "primary" | "foreign" | "exclude" | "not null";
  columns: string[];
  valid: boolean;
  /** The key of the table that a foreign key references. */
  references?: string;
  /** The columns that a foreign key references; empty where they are left out, which means the primary key. */
  referenced?: string[];
  /**
   * The ON DELETE action of a foreign key, as Postgres abbreviates it: `a` NO ACTION,
   * `r` RESTRICT, `c` CASCADE, `n` SET NULL, `d` SET DEFAULT.
   */
  onDelete?: string;
  /** The ON UPDATE action of a foreign key, abbreviated as `onDelete`. */
  onUpdate?: string;
  /** The condition of a CHECK; `mentions` has every column in it. */
  expression?: Node;
  mentions?: string[];
  /** The columns that a CHECK proves to be NOT NULL: `a IS NOT NULL AND …`. */
  notNullOf?: string[];
  /** The CHECK has no other condition than that one column is NOT NULL. */
  onlyNotNull?: boolean;
}

/** An index, including one behind a constraint. */
export interface Index {
  name: Name;
  /** The key of its table. */
  table: string;
  unique: boolean;
  columns: string[];
  /** The index has a WHERE clause. */
  partial?: boolean;
  /** The columns in its expressions and its WHERE clause. */
  derivedFrom?: string[];
  /** The whole definition apart from the index's name and table. Two indexes that are alike have the same signature. */
  signature: string;
  /** The access method: `btree`, `gin`. */
  method: string;
  /** How each of `columns` is indexed, in the same order. */
  elements: readonly { readonly descending: boolean; readonly operatorClass?: string }[];
  /** The index has an INCLUDE clause. Default: false. */
  includes?: boolean;
}

/** A function or procedure. If several have the same name, it describes what holds for any of them. */
export interface Routine {
  readonly volatility: "immutable" | "stable" | "volatile";
  /** Every name in the body; undefined where the body doesn't show them (another language, or EXECUTE). */
  readonly mentions: ReadonlySet<string> | undefined;
  /** The return type, as text to be compared. */
  readonly returns: string;
  /** The names and types of the parameters, as text to be compared. */
  readonly parameters: string;
  /** The number of functions with this name. */
  readonly overloads: number;
}

/** A trigger of a table. */
export interface Trigger {
  readonly name: string;
  /** The key of its table. */
  table: string;
  /** The key of its function. */
  routine: string;
  /** The trigger fires once for each row; otherwise once for each statement. */
  readonly row: boolean;
  readonly events: readonly ("insert" | "update" | "delete" | "truncate")[];
}

/** A table or view, as far as it is known from the history. */
export interface Table {
  name: Name;
  kind: "table" | "view" | "materialized view";
  columns: Map<string, Column>;
  constraints: Constraint[];
  /** False for a table that the history doesn't make, or makes in a way that can't be tracked. */
  known: boolean;
  /** The name of the migration that makes the table; undefined if the history doesn't make it. */
  madeIn: string | undefined;
  partitioned: boolean;
  /** Row level security is on. For a table that isn't `known`, it may be on although this is false. */
  rowSecurity: boolean;
  /** The names of its policies. */
  policies: Set<string>;
  /**
   * The columns of a partitioned table's partition key; undefined if an
   * expression is among them or the key isn't known.
   */
  partitionKey?: string[] | undefined;
  /** The key of the table of which this one is a partition or child. */
  parent?: string | undefined;
  /** The table is a default partition, which takes the rows that no other partition takes. */
  isDefault?: boolean | undefined;
  /** A view's columns in their order; undefined if some aren't known. */
  shows?: readonly string[] | undefined;
  /** The keys of the tables and the names of the columns that a view's query mentions. */
  reads?: { tables: Set<string>; columns: Set<string> } | undefined;
}

/**
 * What an expression or query depends on, in the form of `useOf`: `table:note`,
 * `column:note:title`, `function:f`, `sequence:s`.
 */
export type Uses = Set<string>;

/** An object that depends on others. Postgres refuses to drop these without CASCADE. */
export interface Dependent {
  readonly kind: "view" | "trigger" | "policy" | "default" | "generated" | "check" | "index";
  /** The object's description for a person: `view names`, `trigger touch on note`. */
  readonly label: string;
  /**
   * The key of the table that the object is a part of, or of the view if the object is a
   * view. It is dropped together with that table.
   */
  readonly table: string;
  /** The column that the object is a part of. */
  readonly column?: string;
  readonly uses: Uses;
}
