/** A place in a file of a Prisma schema. */
export interface Place {
  /** The path as a person would type it. */
  readonly path: string;
  /** The line, counted from 1. */
  readonly line: number;
}

/** A value in a Prisma schema. A word is a name or a number; a text is what stands between quotation marks. */
export type Value =
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Argument[] }
  | { readonly kind: "object" };

/** An argument of an attribute or of a call. */
export interface Argument {
  readonly key?: string;
  readonly value: Value;
}

/** An attribute of a field (`@id`, `@db.VarChar(20)`) or of a block (`@@index([a])`). Its name has no `@`. */
export interface Attribute {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly place: Place;
}

/** A field of a model. */
export interface Field {
  readonly name: string;
  /** The name of the type; undefined for `Unsupported("…")`. */
  readonly type?: string;
  /** The type in `Unsupported("…")`, as SQL. */
  readonly unsupported?: string;
  readonly arity: "required" | "optional" | "list";
  readonly attributes: readonly Attribute[];
  readonly place: Place;
}

/** A model. */
export interface Model {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly attributes: readonly Attribute[];
  readonly place: Place;
}

/** An enum. */
export interface Enum {
  readonly name: string;
  readonly values: readonly {
    readonly name: string;
    readonly attributes: readonly Attribute[];
    readonly place: Place;
  }[];
  readonly attributes: readonly Attribute[];
  readonly place: Place;
}

/** What the files of a Prisma schema say. */
export interface Datamodel {
  readonly models: readonly Model[];
  readonly enums: readonly Enum[];
  /** The names of the views, which Prisma doesn't migrate. */
  readonly views: readonly { readonly name: string; readonly place: Place }[];
  /** `provider` of the datasource; undefined if there is none. */
  readonly provider?: string;
  /** `schemas` of the datasource; empty if there are none. */
  readonly schemas: readonly string[];
  /** Whether Prisma makes a foreign key of each relation. It makes none with `relationMode = "prisma"`. */
  readonly foreignKeys: boolean;
}

/** The first attribute with this name. */
export function attributeOf(of: { readonly attributes: readonly Attribute[] }, name: string): Attribute | undefined {
  return of.attributes.find((each) => each.name === name);
}

/** The argument of this name, or the first argument without a name if `first` is set. */
export function argumentOf(of: { readonly args: readonly Argument[] } | undefined, key: string, first = false) {
  const found = of?.args.find((each) => each.key === key);
  return (found ?? (first ? of?.args.find((each) => each.key === undefined) : undefined))?.value;
}

/** The text or word of a value; undefined for other values. */
export function textOf(value: Value | undefined): string | undefined {
  if (value?.kind === "text") return value.text;
  return value?.kind === "word" ? value.word : undefined;
}

/** The name that `@map` or `@@map` gives in the database; undefined where there is none. */
export function mappedName(of: { readonly attributes: readonly Attribute[] }): string | undefined {
  return textOf(argumentOf(attributeOf(of, "map"), "name", true));
}
