import type { Place } from "./datamodel";

/** What differs: something is only in the schema, only in the history, or in both and not the same. */
type DifferenceKind = "not-in-history" | "not-in-schema" | "differs" | "named-differently";

/** The kind of object that differs. */
type DifferingObject = "table" | "column" | "index" | "foreign key" | "enum" | "enum value";

/** One difference between a Prisma schema and the database that its history makes. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly object: DifferingObject;
  /** The key of the table or enum. */
  readonly whole: string;
  /** The name of the column, index, foreign key or value. Default: the difference is about the whole. */
  readonly part?: string;
  /** What the schema says, and what the history makes, as clauses: `no such column`, `text, NOT NULL`. */
  readonly schema: string;
  readonly history: string;
  /** The place in the schema. Default: there is none, and the place is the model's or the file's. */
  readonly place?: Place;
  /** The column is in the history only, and a row must set it. */
  readonly mustBeSet?: boolean;
}

/** Something that can't be compared, and why. */
export interface Uncompared {
  readonly what: string;
  readonly why: string;
  readonly place?: Place;
}

/** The result of a comparison. */
export interface Comparison {
  readonly differences: readonly Difference[];
  readonly uncompared: readonly Uncompared[];
}

/** Collects what comparisons of parts find. */
export class Found {
  readonly differences: Difference[] = [];
  readonly uncompared: Uncompared[] = [];

  differs(difference: Difference): void {
    this.differences.push(difference);
  }

  skips(what: string, why: string, place?: Place): void {
    this.uncompared.push({ what, why, ...(place && { place }) });
  }
}

/** The place of an object of the schema, as a property to spread. */
export function placed(of: { readonly place?: Place | undefined }): { place?: Place } {
  return of.place ? { place: of.place } : {};
}
