import type { Problem } from "../rule";
import { type FieldType, fieldsOf, type Group, isGroup, POD_FRAGMENT } from "./fields";

/** One value in a fragment. */
export interface Node {
  /** Where it is: `spec.containers[app].env[PORT].value`. Elements of a list are named by the key that matches them. */
  name: string;
  /** The same as keys and indexes of the settings. */
  path: PropertyKey[];
  value: unknown;
}

/**
 * Finds the values of a fragment that are not for the fragment to set.
 *
 * @param own By the place of the value, as in {@link Node.name}, what the value must be, such as `left out: …`.
 */
export function ownFields(fragment: Group, own: Readonly<Record<string, string>>): Problem[] {
  return nodesOf(fragment).flatMap(({ name, path }) => {
    const allowed = Object.hasOwn(own, name) ? own[name] : undefined;
    return allowed === undefined ? [] : [{ path, allowed }];
  });
}

/** Returns every value in a fragment, apart from what is inside lists whose elements have no key. */
export function nodesOf(fragment: Group): Node[] {
  return childrenOf({ name: "", path: [], value: fragment }, POD_FRAGMENT);
}

function childrenOf(node: Node, type: FieldType): Node[] {
  const { name, path, value } = node;
  const inner = (child: Node, of: FieldType) => [child, ...childrenOf(child, of)];
  if (type.kind === "list" && Array.isArray(value)) {
    const { key, of } = type;
    if (key === undefined) return [];
    return value.flatMap((each, index) =>
      isGroup(each) ? inner({ name: `${name}[${each[key]}]`, path: [...path, index], value: each }, of) : [],
    );
  }
  if (!isGroup(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    if (type.kind === "map") return inner({ name: `${name}[${key}]`, path: [...path, key], value: each }, type.of);
    const field = type.kind === "object" ? fieldsOf(type.name).get(key) : undefined;
    const child = { name: name === "" ? key : `${name}.${key}`, path: [...path, key], value: each };
    return field ? inner(child, field.type) : [];
  });
}
