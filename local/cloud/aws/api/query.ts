import type { Json } from "../../provider";

/** The parameters of a call, by their names in RDS' API. */
export type Parameters = { readonly [name: string]: Json };

type Tree = { [name: string]: Tree | string };

/**
 * Reads the body of a request of AWS' query protocol: `Action=…&Tags.Tag.1.Key=…`. A list is a group with one name
 * below it, whose own names are numbers.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function readQuery(body: string): { action: string; parameters: Parameters } {
  const tree: Tree = {};
  for (const [key, value] of new URLSearchParams(body)) {
    const path = key.split(".");
    let at = tree;
    for (const name of path.slice(0, -1)) {
      const next = at[name];
      const group: Tree = typeof next === "object" ? next : {};
      at[name] = group;
      at = group;
    }
    at[path.at(-1)!] = value;
  }
  const { Action: action, Version: _, ...rest } = tree;
  return { action: typeof action === "string" ? action : "", parameters: valuesOf(rest) };
}

function valuesOf(tree: Tree): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, jsonOf(value)]));
}

function jsonOf(value: Tree | string): Json {
  if (typeof value === "string") return scalar(value);
  const inner = Object.values(value);
  const [only] = inner;
  if (inner.length === 1 && typeof only === "object" && Object.keys(only).every((key) => /^\d+$/.test(key)))
    return Object.entries(only)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, each]) => jsonOf(each));
  return valuesOf(value);
}

function scalar(text: string): Json {
  if (text === "true" || text === "false") return text === "true";
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}
