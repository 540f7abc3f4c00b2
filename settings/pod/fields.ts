import { POD_TYPES } from "./types";

/** A group of keys as it is written in a stack's settings. */
export type Group = Record<string, unknown>;

/** The type of a field of a pod template. */
export type FieldType =
  | { readonly kind: "scalar"; readonly name: string }
  | { readonly kind: "values"; readonly values: readonly string[] }
  | { readonly kind: "object"; readonly name: string }
  | { readonly kind: "map"; readonly of: FieldType }
  /** `key` is the field by which a strategic merge matches the elements; without it the list is replaced. */
  | { readonly kind: "list"; readonly of: FieldType; readonly key?: string | undefined };

/** One field of a type. */
export interface Field {
  readonly required: boolean;
  readonly type: FieldType;
}

/** The type of a fragment of a pod template: `metadata` with labels and annotations, and `spec`. */
export const POD_FRAGMENT: FieldType = { kind: "object", name: "PodFragment" };

/** Returns the fields of a type of Kubernetes' API, by their names. A type without described fields has none. */
export function fieldsOf(type: string): ReadonlyMap<string, Field> {
  const fields = (POD_TYPES[type] ?? "").split("; ").filter((each) => each !== "");
  return new Map(
    fields.map((each) => {
      const [, name = "", mark, notation = ""] = /^(\w+)(!?): (.*)$/.exec(each) ?? [];
      return [name, { required: mark === "!", type: typeOf(notation) }];
    }),
  );
}

function typeOf(notation: string): FieldType {
  const [, element, key] = /^\[(.*?)(?: by (\w+))?\]$/.exec(notation) ?? [];
  if (element !== undefined) return { kind: "list", of: typeOf(element), key };
  const [, value] = /^\{(.*)\}$/.exec(notation) ?? [];
  if (value !== undefined) return { kind: "map", of: typeOf(value) };
  if (notation.includes(" | ")) return { kind: "values", values: notation.split(" | ") };
  return /^[A-Z]/.test(notation) ? { kind: "object", name: notation } : { kind: "scalar", name: notation };
}

/** Whether a value is a group of keys. */
export function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
