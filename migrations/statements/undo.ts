import type { Node } from "libpg-query";
import type { Schema } from "../schema/schema";
import type { SchemaObject } from "../schema/schema-object";

/** What is known when a statement is taken back. */
export interface Before {
  /** The schema before the statement, with the definitions of its objects. */
  readonly schema: Schema;
  /** Writes a syntax tree as SQL; undefined if it can't be written so that it means exactly the same. */
  write(node: Node): string | undefined;
}

/** What is lost with an object that is dropped: the rows of a table, or the values of a column. */
type Loss = "rows" | "values";

/** How one effect of a statement is taken back, or why it isn't. */
export type Undo = Inverse | NoInverse;

/** The SQL that takes an effect back. */
export interface Inverse extends Effect {
  /** Pieces of one or more statements, in order, without the last semicolon. */
  readonly sql: readonly string[];
  /** Each piece needs a transaction of its own, so that no lock is held while the next one works. */
  readonly apart?: boolean;
  /** The effect was to make the object, and the SQL drops it. */
  readonly drops?: boolean;
  readonly loses?: Loss;
  /**
   * Only the newer version of the app uses what the SQL takes away, so it may run when the older version serves again.
   */
  readonly after?: boolean;
  /** What a person has to know before it runs, as a sentence. */
  readonly note?: string;
}

/** An effect that no SQL takes back. */
export interface NoInverse extends Effect {
  /** Why not, as a clause or a sentence for a person. */
  readonly never: string;
  /** True if it does no harm to leave the effect as it is, such as an additional value of an enum. */
  readonly harmless?: boolean;
}

interface Effect {
  /** The object that was made or changed. */
  readonly of: SchemaObject;
  /**
   * The columns of the object's table on which the effect depends. It goes with any of them; with `every`, only if all
   * of them go.
   */
  readonly columns?: readonly string[];
  readonly every?: boolean;
}

/** The words for an object whose earlier definition the history doesn't show. */
export const notInHistory = "the history doesn't show how it was before";

/** The note on an object that may have existed before IF NOT EXISTS. */
export const perhapsBefore = "IF NOT EXISTS: if it was there before this migration, this drops it all the same.";
