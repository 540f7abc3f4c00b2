import { type FieldType, fieldsOf, isGroup, POD_FRAGMENT } from "./fields";
import { KUBERNETES } from "./types";

/** A mistake in a fragment of a pod template. */
export interface PodMistake {
  /** The path of the wrong value in the fragment, or of the unknown key. */
  path: PropertyKey[];
  /** What the value must be. */
  allowed: string;
  /** The keys of which an unknown one may be a misspelling. Default: the key is known, and its value is wrong. */
  known?: readonly string[];
}

/**
 * Finds every unknown field and every wrong type in a fragment of a pod template, by Kubernetes' own API definitions.
 * The fragment may leave out what the pod has already, but not what identifies an element of a list, such as the name
 * of a container.
 */
export function podMistakes(fragment: unknown): PodMistake[] {
  return mistakesIn(fragment, POD_FRAGMENT, []);
}

const GROUP = "a group of keys, {} if it is empty";

function mistakesIn(value: unknown, type: FieldType, path: PropertyKey[]): PodMistake[] {
  switch (type.kind) {
    case "scalar":
      return scalarMistakes(value, type.name, path);
    case "values":
      return type.values.some((each) => each === value)
        ? []
        : [{ path, allowed: type.values.map((each) => JSON.stringify(each)).join(" or ") }];
    case "map":
      if (!isGroup(value)) return [{ path, allowed: GROUP }];
      return Object.entries(value).flatMap(([key, each]) => mistakesIn(each, type.of, [...path, key]));
    case "list":
      if (!Array.isArray(value)) return [{ path, allowed: "a list" }];
      return [
        ...value.flatMap((each, index) => mistakesIn(each, type.of, [...path, index])),
        ...(type.key === undefined ? [] : repeated(value, type.key, path)),
      ];
    case "object":
      return isGroup(value) ? objectMistakes(value, type.name, path) : [{ path, allowed: GROUP }];
  }
}

function objectMistakes(value: object, type: string, path: PropertyKey[]): PodMistake[] {
  const fields = fieldsOf(type);
  const found = Object.entries(value).flatMap(([key, each]) => {
    const field = fields.get(key);
    if (field) return mistakesIn(each, field.type, [...path, key]);
    return [
      { path: [...path, key], allowed: `no ${type} has it in Kubernetes ${KUBERNETES}`, known: [...fields.keys()] },
    ];
  });
  // The pod that the fragment is merged into has containers already.
  const missing =
    type === "PodSpec" ? [] : [...fields].filter(([key, { required }]) => required && !Object.hasOwn(value, key));
  return [...found, ...missing.map(([key, field]) => ({ path: [...path, key], allowed: nounOf(field.type, true) }))];
}

/** A merge couldn't tell which of two elements with the same key is meant. */
function repeated(list: readonly unknown[], key: string, path: PropertyKey[]): PodMistake[] {
  const keys = list.map((each) => (isGroup(each) ? each[key] : undefined));
  return keys.flatMap((each, index) =>
    each !== undefined && keys.indexOf(each) < index
      ? [{ path: [...path, index, key], allowed: "different from that of the elements before it" }]
      : [],
  );
}

function scalarMistakes(value: unknown, name: string, path: PropertyKey[]): PodMistake[] {
  return SCALARS[name]?.(value) ? [] : [{ path, allowed: nounOf({ kind: "scalar", name }) }];
}

const SCALARS: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  "integer or string": (value) => typeof value === "string" || Number.isSafeInteger(value),
  quantity: (value) => (typeof value === "string" || typeof value === "number") && QUANTITY.test(String(value)),
};

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;

/** What a value must be, and the same where a wrong value is shown. */
const NOUNS: Record<string, readonly [noun: string, hint?: string]> = {
  string: ["a text", "a text, in quotes if it looks like a number or like true"],
  boolean: ["true or false"],
  integer: ["a whole number"],
  number: ["a number"],
  "integer or string": ["a whole number or a text"],
  quantity: ["a quantity such as 250m, 1.5, 128Mi or 1Gi"],
};

function nounOf(type: FieldType, missing = false): string {
  // A text in YAML that is written without quotes may be read as a number, as a truth value or as null.
  if (type.kind === "scalar")
    return (missing ? undefined : NOUNS[type.name]?.[1]) ?? NOUNS[type.name]?.[0] ?? type.name;
  if (type.kind === "values") return type.values.map((each) => JSON.stringify(each)).join(" or ");
  return type.kind === "list" ? "a list" : GROUP;
}
