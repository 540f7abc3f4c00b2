import type { Node, TypeName } from "libpg-query";
import { integerOf } from "./constant";
import { movingFunctions, steadyFunctions } from "./pure-functions";
import { callsOf } from "./references";

/** A column's type as far as a change of it is decided by it. */
export interface ColumnType {
  /** Postgres' own name (`int4`, `varchar`), with a schema only where one is written and isn't pg_catalog. */
  readonly name: string;
  /** Length, precision and scale, if written. */
  readonly mods: readonly number[];
  /** Dimensions of an array, else 0. */
  readonly array: number;
  /** serial, bigserial or smallserial: an integer with a sequence of its own. */
  readonly serial: boolean;
}

const serials: Record<string, string> = {
  serial: "int4",
  serial4: "int4",
  bigserial: "int8",
  serial8: "int8",
  smallserial: "int2",
  serial2: "int2",
};

/** Reads a type; undefined where none is written. */
export function columnType(type: TypeName | undefined): ColumnType | undefined {
  const names = (type?.names ?? []).map((part) => ("String" in part ? (part.String.sval ?? "") : ""));
  const last = names.at(-1);
  if (!type || last === undefined) return undefined;
  const schema = names.length > 1 && names[0] !== "pg_catalog" && names[0] !== "public" ? `${names[0]}.` : "";
  const serial = names.length === 1 ? serials[last] : undefined;
  const mods = (type.typmods ?? []).map((mod) => integerOf(mod) ?? 0);
  // `interval(3)` comes as (field mask, precision).
  const precise = last === "interval" && mods.length > 1 ? mods.slice(1) : mods;
  return {
    name: serial ?? `${schema}${last}`,
    mods: precise,
    array: type.arrayBounds?.length ?? 0,
    serial: serial !== undefined,
  };
}

const strings = new Set(["text", "varchar"]);
const timed = new Set(["timestamp", "timestamptz", "time", "timetz", "interval"]);

/** What ALTER COLUMN TYPE costs: nothing, or every row written anew; `uncertain` where the types are not known. */
export type TypeChange = "none" | "rewrite" | "uncertain";

/**
 * Whether a table is rewritten when a column changes its type. Confirmed by the corpus (test/migrations/corpus).
 * @param utc the session's TimeZone is UTC, under which timestamp and timestamptz are stored alike; the worse is assumed otherwise
 */
export function typeChange(from: ColumnType | undefined, to: ColumnType | undefined, utc = false): TypeChange {
  if (!from || !to) return "uncertain";
  if (from.array > 0 !== to.array > 0) return "rewrite";
  if (from.name === to.name) {
    if (String(from.mods) === String(to.mods)) return "none";
    return from.array === 0 && widened(from, to) ? "none" : "rewrite";
  }
  // Arrays are converted element by element, even from varchar[] to text[].
  if (from.array > 0) return "rewrite";
  // Their values are stored alike; the indexes compare them in other ways.
  if (folds(from, to)) return to.mods.length === 0 ? "none" : "rewrite";
  if (utc && isStamp(from) && isStamp(to)) return (to.mods[0] ?? 6) >= (from.mods[0] ?? 6) ? "none" : "rewrite";
  if (strings.has(from.name) && strings.has(to.name)) return to.mods.length === 0 ? "none" : "rewrite";
  return from.name === "cidr" && to.name === "inet" ? "none" : "rewrite";
}

/** Between citext, which passes over upper and lower case, and a string that doesn't. */
export function folds(from: ColumnType | undefined, to: ColumnType | undefined): boolean {
  if (!from || !to || from.array > 0 || to.array > 0) return false;
  return (
    [from, to].filter(({ name }) => name === "citext").length === 1 && [from, to].some(({ name }) => strings.has(name))
  );
}

/** Between timestamp and timestamptz, whose cost depends on the session's TimeZone. */
export function isStamp({ name }: ColumnType): boolean {
  return name === "timestamp" || name === "timestamptz";
}

function widened(from: ColumnType, to: ColumnType): boolean {
  const [fromSize = 0, fromScale = 0] = from.mods;
  const [toSize = 0, toScale = 0] = to.mods;
  if (from.name === "varchar" || from.name === "varbit")
    return to.mods.length === 0 || (from.mods.length > 0 && toSize >= fromSize);
  if (from.name === "numeric")
    return to.mods.length === 0 || (from.mods.length > 0 && toScale === fromScale && toSize >= fromSize);
  // Without a precision, times have six digits.
  if (timed.has(from.name)) return (to.mods[0] ?? 6) >= (from.mods[0] ?? 6);
  return false;
}

/** Whether values that the column can hold today may be refused or cut by the new type. */
export function narrows(from: ColumnType | undefined, to: ColumnType | undefined): boolean {
  if (!from || !to) return true;
  if (from.array !== to.array) return true;
  const rank: Record<string, number> = { int2: 1, int4: 2, int8: 3, numeric: 4 };
  const a = rank[from.name];
  const b = rank[to.name];
  if (a !== undefined && b !== undefined && from.name !== to.name)
    return b < a || (b === 4 && to.mods.length > 0 && to.mods[0]! - (to.mods[1] ?? 0) < digits[from.name]!);
  if (from.name === to.name && from.name === "numeric" && from.mods.length > 0 && to.mods.length > 0) {
    const [[size = 0, scale = 0], [newSize = 0, newScale = 0]] = [from.mods, to.mods];
    return newScale < scale || newSize - newScale < size - scale;
  }
  // char(n) is filled up with blanks.
  if (from.name === "bpchar" && (to.name === "bpchar" || to.name === "varchar"))
    return to.name === "varchar" && to.mods.length === 0 ? false : (to.mods[0] ?? 1) < (from.mods[0] ?? 1);
  if (from.name === to.name) return String(from.mods) !== String(to.mods) && !widened(from, to);
  if (folds(from, to)) return to.mods.length > 0;
  const written = digits[from.name];
  if (to.name === "varchar" && written !== undefined) return (to.mods[0] ?? 99) <= written;
  if (strings.has(to.name) && to.mods.length === 0) return false;
  // A double holds every integer of 32 bits, a real every one of 16.
  if (to.name === "float8" && ["float4", "int2", "int4"].includes(from.name)) return false;
  if (to.name === "float4" && from.name === "int2") return false;
  if (from.name === "date" && to.name.startsWith("timestamp")) return false;
  if (from.name.startsWith("json") && to.name.startsWith("json")) return false;
  if (from.name === "cidr" && to.name === "inet") return false;
  if (from.name.startsWith("timestamp") && to.name.startsWith("timestamp"))
    return (to.mods[0] ?? 6) < (from.mods[0] ?? 6);
  return true;
}

/** Of the largest value. */
const digits: Record<string, number> = { int2: 5, int4: 10, int8: 19 };

const shown: Record<string, string> = {
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
  float4: "real",
  float8: "double precision",
  bool: "boolean",
  bpchar: "char",
  varbit: "bit varying",
};

/** As a person writes it: `integer`, `varchar(20)`, `text[]`. */
export function typeText(type: ColumnType | undefined): string {
  if (!type) return "its present type";
  const mods = type.mods.length > 0 ? `(${type.mods.join(",")})` : "";
  const plain = /^[a-z_][a-z0-9_.]*$/.test(type.name) ? (shown[type.name] ?? type.name) : `"${type.name}"`;
  return plain + mods + "[]".repeat(type.array);
}

/**
 * A function in a default that may give another value for each row, so that the rows must be written; undefined if there is none.
 * Functions that aren't known count (CREATE FUNCTION makes them VOLATILE unless told otherwise), but `uncertain`.
 */
export function volatileCall(
  expression: Node | undefined,
  declared: (name: string) => "immutable" | "stable" | "volatile" | undefined = () => undefined,
): { name: string; uncertain: boolean } | undefined {
  let found: { name: string; uncertain: boolean } | undefined;
  for (const call of callsOf(expression ?? {})) {
    const name = call.name.split(".").at(-1) ?? "";
    const volatility = declared(call.name.replace(/^public\./, ""));
    if (volatility === "volatile") found = { name: `${name}()`, uncertain: false };
    else if (volatility !== undefined) continue;
    else if (movingFunctions.has(name)) found = { name: `${name}()`, uncertain: false };
    else if (!steadyFunctions.has(name)) found ??= { name: `${name}()`, uncertain: true };
  }
  return found;
}
