import { isDeepStrictEqual } from "node:util";
import type { ColumnType } from "../migrations/sql/column-type";
import { literal } from "../migrations/sql/identifier";
import type { Default } from "./default-value";

/** Compares two defaults: the same, different, or the reason why that can't be told. */
export function compareDefaults(
  expected: Default,
  made: Default,
  type: ColumnType | undefined,
): "same" | "differ" | (string & {}) {
  for (const each of [expected, made]) if (each.kind === "unknown") return each.why;
  const [a, b] = [withList(expected, type), withList(made, type)];
  if (a.kind === "expression" || b.kind === "expression") return compareExpressions(a, b);
  if (a.kind !== b.kind) return "differ";
  if (a.kind === "list" && b.kind === "list") {
    const same =
      a.values.length === b.values.length && a.values.every((each, at) => sameValue(each, b.values[at]!, type));
    return same ? "same" : "differ";
  }
  if (a.kind === "value" && b.kind === "value") return compareValues(a.value, b.value, type);
  return "same";
}

function compareExpressions(a: Default, b: Default): ReturnType<typeof compareDefaults> {
  if (a.kind === "expression" && b.kind === "expression")
    return a.tree === b.tree ? "same" : "the expressions are written differently";
  const constant = [a, b].some(({ kind }) => kind === "value" || kind === "list");
  return constant ? "one is an expression, whose value the text doesn't show" : "differ";
}

/** `'{}'` in the form of a list. */
function withList(value: Default, type: ColumnType | undefined): Default {
  if ((type?.array ?? 0) === 0 || value.kind !== "value") return value;
  const inner = /^\{([^"\\{}]*)\}$/.exec(value.value)?.[1];
  if (inner === undefined) return { kind: "unknown", why: "its list is written as text" };
  return { kind: "list", values: inner.trim() === "" ? [] : inner.split(",").map((each) => each.trim()) };
}

function compareValues(a: string, b: string, type: ColumnType | undefined): ReturnType<typeof compareDefaults> {
  if (sameValue(a, b, type)) return "same";
  const written = /^(timestamp|timestamptz|date|time|timetz|interval|bytea|money|bit|varbit|inet)$/;
  return type && written.test(type.name) ? `values of ${type.name} can be written in several ways` : "differ";
}

function sameValue(a: string, b: string, type: ColumnType | undefined): boolean {
  if (a === b) return true;
  switch (type?.name) {
    case "int2":
    case "int4":
    case "int8":
    case "float4":
    case "float8":
    case "numeric":
      return Number(a) === Number(b);
    case "bool":
      return isTrue(a) === isTrue(b);
    case "uuid":
      return a.toLowerCase() === b.toLowerCase();
    case "bpchar":
      return a.trimEnd() === b.trimEnd();
    case "json":
    case "jsonb":
      return sameJson(a, b);
    case "bytea":
      // Prisma writes bytes as base64, and Postgres as \x and hexadecimal digits.
      return `\\x${Buffer.from(a, "base64").toString("hex")}` === b.toLowerCase();
    case "timestamp":
    case "timestamptz":
    case "date":
      return Date.parse(a) === Date.parse(b);
    default:
      return false;
  }
}

/** Whether a constant is true, in any way in which Postgres reads a boolean. */
function isTrue(value: string): boolean {
  return /^(t|tr|tru|true|y|ye|yes|on|1)$/i.test(value);
}

function sameJson(a: string, b: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
  } catch {
    return false;
  }
}

/** A default as SQL, or `no default`. */
export function defaultText(value: Default): string {
  switch (value.kind) {
    case "none":
      return "no default";
    case "sequence":
      return "DEFAULT of a sequence";
    case "now":
      return "DEFAULT CURRENT_TIMESTAMP";
    case "value":
      return `DEFAULT ${/^(-?\d+(\.\d+)?|true|false)$/.test(value.value) ? value.value : literal(value.value)}`;
    case "list":
      return `DEFAULT ARRAY[${value.values.map(literal).join(", ")}]`;
    case "expression":
      return `DEFAULT ${value.text}`;
    case "unknown":
      return "a default that can't be read";
  }
}
