import type { Node, TypeName } from "libpg-query";
import { integerOf } from "./constant";
import { movingFunctions, steadyFunctions } from "./pure-functions";
import { callsOf } from "./references";

/** The parts of a column's type that decide what a change of the type costs. */
export interface ColumnType {
  /**
   * Postgres' own name (`int4`, `varchar`). It has a schema only where one is written that isn't pg_catalog or public.
   */
  readonly name: string;
  /** The length, or the precision and scale; empty where none is written. */
  readonly mods: readonly number[];
  /** The number of array dimensions; 0 if it is no array. */
  readonly array: number;
  /** The type is serial, bigserial or smallserial: an integer with a sequence of its own. */
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

/** Reads a type; the result is undefined where none is written. */
export function columnType(type: TypeName | undefined): ColumnType | undefined {
  const names = (type?.names ?? []).map((part) => ("String" in part ? (part.String.sval ?? "") : ""));
  const last = names.at(-1);
  if (!type || last === undefined) return undefined;
  const schema = names.length > 1 && names[0] !== "pg_catalog" && names[0] !== "public" ? `${names[0]}.` : "";
  const serial = names.length === 1 ? serials[last] : undefined;
  const mods = (type.typmods ?? []).map((mod) => integerOf(mod) ?? 0);
  // The parser represents `interval(3)` as (field mask, precision).
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

/** What ALTER COLUMN TYPE costs: nothing, or a rewrite of every row; `uncertain` where the types are not known. */
export type TypeChange = "none" | "rewrite" | "uncertain";

/**
 * Whether a table is rewritten when a column changes its type. The tests in
 * test/review/corpus confirm it on a real server.
 * @param utc whether the session's TimeZone is UTC, under which timestamp and timestamptz are stored alike. The
 * default, false, assumes the worse case.
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
  // Both types store their values alike, but their indexes compare them in different ways.
  if (folds(from, to)) return to.mods.length === 0 ? "none" : "rewrite";
  if (utc && isStamp(from) && isStamp(to)) return (to.mods[0] ?? 6) >= (from.mods[0] ?? 6) ? "none" : "rewrite";
  if (strings.has(from.name) && strings.has(to.name)) return to.mods.length === 0 ? "none" : "rewrite";
  return from.name === "cidr" && to.name === "inet" ? "none" : "rewrite";
}

/** Whether one type is citext, which ignores upper and lower case, and the other a string type that doesn't. */
export function folds(from: ColumnType | undefined, to: ColumnType | undefined): boolean {
  if (!from || !to || from.array > 0 || to.array > 0) return false;
  return (
    [from, to].filter(({ name }) => name === "citext").length === 1 && [from, to].some(({ name }) => strings.has(name))
  );
}

/**
 * Whether a type is timestamp or timestamptz. What a change between the two costs depends on the session's TimeZone.
 */
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
  // Times that are declared without a precision have six digits after the second.
  if (timed.has(from.name)) return (to.mods[0] ?? 6) >= (from.mods[0] ?? 6);
  return false;
}

/** Whether the new type may refuse or cut values that the column can hold today. */
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
  // Postgres pads the values of char(n) with blanks.
  if (from.name === "bpchar" && (to.name === "bpchar" || to.name === "varchar"))
    return to.name === "varchar" && to.mods.length === 0 ? false : (to.mods[0] ?? 1) < (from.mods[0] ?? 1);
  if (from.name === to.name) return String(from.mods) !== String(to.mods) && !widened(from, to);
  if (folds(from, to)) return to.mods.length > 0;
  const written = digits[from.name];
  if (to.name === "varchar" && written !== undefined) return (to.mods[0] ?? 99) <= written;
  if (strings.has(to.name) && to.mods.length === 0) return false;
  // A double holds every integer of 32 bits exactly, a real every integer of 16 bits.
  if (to.name === "float8" && ["float4", "int2", "int4"].includes(from.name)) return false;
  if (to.name === "float4" && from.name === "int2") return false;
  if (from.name === "date" && to.name.startsWith("timestamp")) return false;
  if (from.name.startsWith("json") && to.name.startsWith("json")) return false;
  if (from.name === "cidr" && to.name === "inet") return false;
  if (from.name.startsWith("timestamp") && to.name.startsWith("timestamp"))
    return (to.mods[0] ?? 6) < (from.mods[0] ?? 6);
  return true;
}

/**
 * Whether the new type takes every value that the column can hold today, and only rounds some of them: then a change of
 * the type doesn't fail, whatever the rows are.
 */
export function rounds(from: ColumnType | undefined, to: ColumnType | undefined): boolean {
  if (!from || !to || from.array > 0 || to.array > 0) return false;
  if (isStamp(from)) return isStamp(to) || to.name === "date";
  if (from.name === to.name && timed.has(from.name)) return true;
  if (from.name === "numeric" && from.mods.length > 0) {
    const [size = 0, scale = 0] = from.mods;
    const [newSize = 0, newScale = 0] = to.mods;
    // Rounding can add a digit before the point: 9.96 becomes 10.0.
    if (to.name === "numeric" && to.mods.length > 0) return newSize - newScale > size - scale;
    // The largest exponents are 308 and 38.
    return size - scale <= (to.name === "float8" ? 308 : to.name === "float4" ? 38 : 0);
  }
  return (to.name === "float8" && from.name === "int8") || (to.name === "float4" && /^int[48]$/.test(from.name));
}

/** The number of decimal digits of each type's largest value. */
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

/** The type as a person writes it: `integer`, `varchar(20)`, `text[]`. */
export function typeText(type: ColumnType | undefined): string {
  if (!type) return "its present type";
  const mods = type.mods.length > 0 ? `(${type.mods.join(",")})` : "";
  const plain = /^[a-z_][a-z0-9_.]*$/.test(type.name) ? (shown[type.name] ?? type.name) : `"${type.name}"`;
  return plain + mods + "[]".repeat(type.array);
}

/**
 * A function in a default that may return another value for each row, so that every row must be written;
 * undefined if there is none. A function that isn't known counts too, as `uncertain`, because CREATE
 * FUNCTION makes a function VOLATILE by default.
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
