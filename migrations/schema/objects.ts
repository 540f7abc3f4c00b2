import type { Node } from "libpg-query";
import type { ColumnType } from "../sql/column-type";
import type { Name } from "../sql/identifier";

/** A column, as far as the history tells. */
export interface Column {
  name: string;
  /** Undefined when it was made in a way that can't be followed (CREATE TABLE AS). */
  type: ColumnType | undefined;
  /** As written by COLLATE; none for that of the type. */
  collation?: string;
  notNull: boolean;
  /** It has a default, or fills itself (serial, identity, generated). */
  filled: boolean;
}

/** A constraint of a table. */
export interface Constraint {
  name: string;
  kind: "check" | "unique" | "primary" | "foreign" | "exclude" | "not null";
  columns: string[];
  valid: boolean;
  /** Key of the table a foreign key points to. */
  references?: string;
  /** The columns it points to; none where they are left out, which means the primary key. */
  referenced?: string[];
  /** What a foreign key does when the row it points to is deleted: `a`, `r` nothing or refuse, `c` cascade, `n` NULL, `d` default. */
  onDelete?: string;
  /** Of a check: what it asks for, and every column in that. */
  expression?: Node;
  mentions?: string[];
  /** Columns that a CHECK proves to be set: `a IS NOT NULL AND …`. */
  notNullOf?: string[];
  /** It says nothing else. */
  onlyNotNull?: boolean;
}

/** An index, also one behind a constraint. */
export interface Index {
  name: Name;
  /** Key of its table. */
  table: string;
  unique: boolean;
  columns: string[];
  /** It has a WHERE. */
  partial?: boolean;
  /** Columns in its expressions and its WHERE. */
  derivedFrom?: string[];
  /** All that its definition says but its name and table: the same for two indexes that are alike. */
  signature: string;
}

/** A function or procedure; of several with one name, what holds for any of them. */
export interface Routine {
  readonly volatility: "immutable" | "stable" | "volatile";
  /** Every name in its body; undefined where that tells nothing: another language, or EXECUTE. */
  readonly mentions: ReadonlySet<string> | undefined;
  /** What it returns, as text for comparing. */
  readonly returns: string;
  /** Its parameters, their names and types, as text for comparing. */
  readonly parameters: string;
  /** How many there are of the name. */
  readonly overloads: number;
}

/** A trigger of a table. */
export interface Trigger {
  readonly name: string;
  /** Key of its table. */
  table: string;
  /** Key of its function. */
  routine: string;
  /** Once for each row; else once for the statement. */
  readonly row: boolean;
  readonly events: readonly ("insert" | "update" | "delete" | "truncate")[];
}

/** A table or view, and what the history tells of it. */
export interface Table {
  name: Name;
  kind: "table" | "view" | "materialized view";
  columns: Map<string, Column>;
  constraints: Constraint[];
  /** False for a table that the history doesn't make, or makes in a way that can't be followed. */
  known: boolean;
  /** Name of the migration that makes it; undefined for a table that the history doesn't make. */
  madeIn: string | undefined;
  partitioned: boolean;
  /** Row level security is on; unknown for a table that isn't `known`. */
  rowSecurity: boolean;
  /** Names of its policies. */
  policies: Set<string>;
  /** Of a partitioned table: the columns that decide where a row goes; undefined for an expression among them, or unknown. */
  partitionKey?: string[] | undefined;
  /** Key of the table it is a partition or child of. */
  parent?: string | undefined;
  /** It is the partition for what no other one takes. */
  isDefault?: boolean | undefined;
  /** Of a view: its columns in their order, where all are known. */
  shows?: readonly string[] | undefined;
  /** Of a view: keys of the tables, and names of the columns, that its query mentions. */
  reads?: { tables: Set<string>; columns: Set<string> } | undefined;
}

/** What an expression or query depends on, as `useOf` writes it: `table:note`, `column:note:title`, `function:f`, `sequence:s`. */
export type Uses = Set<string>;

/** Something that Postgres keeps from losing what it depends on. */
export interface Dependent {
  readonly kind: "view" | "trigger" | "policy" | "default" | "generated" | "check" | "index";
  /** For a person: `view names`, `trigger touch on note`. */
  readonly label: string;
  /** Key of the table that it is a part of, or of the view that it is: it goes with it. */
  readonly table: string;
  /** The column that it is a part of. */
  readonly column?: string;
  readonly uses: Uses;
}
