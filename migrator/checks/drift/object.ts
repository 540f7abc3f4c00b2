/** A property of an object, as the catalog's own functions write it. */
export type Fact = string | boolean | null | readonly string[];

/** One object of a database, with everything that is compared of it. All names are SQL: quoted, and with their schema. */
export interface DriftObject {
  /** The object's place in its own database, such as `pg_class:16401:0`. It differs between two databases. */
  readonly address: string;
  /** The address of the object that this one is a part of, and with which it is dropped; null: it stands alone. */
  readonly parent: string | null;
  readonly kind: string;
  /** The table, type or other object that the name belongs to; null: the name stands alone. */
  readonly on: string | null;
  readonly name: string;
  readonly facts: Readonly<Record<string, Fact>>;
  /** The tables and views that a view or function reads. This is for the order of statements, and is not compared. */
  readonly uses: readonly string[];
}

/** All objects of a database at one instant, by their key. */
export type Snapshot = ReadonlyMap<string, DriftObject>;

/** The name of an object in reports, which is the same in every database: `column public.note.v`. */
export function objectKey({ kind, on, name }: Pick<DriftObject, "kind" | "on" | "name">): string {
  return `${kind} ${[on, name].filter((part) => part).join(".")}`;
}

/** Returns a fact as text; an absent one is empty. */
export function factText(fact: Fact | undefined): string {
  if (fact === null || fact === undefined || fact === false) return "";
  return typeof fact === "object" ? fact.join(", ") : String(fact);
}

/** Returns a fact that is a list; an absent one is empty. */
export function factList(fact: Fact | undefined): readonly string[] {
  return typeof fact === "object" && fact !== null ? fact : [];
}
