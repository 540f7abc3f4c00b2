import type { Json } from "../provider";
import { isMap } from "./property-diff";
import { ApiError, equal } from "./validation";

/** One operation of a JSON patch (RFC 6902), of those that this cloud knows. */
export interface PatchOperation {
  op: "test" | "replace";
  path: string;
  value: Json;
}

/**
 * Applies a JSON patch to a copy of a value.
 *
 * @throws ApiError when a test fails, or when there is nothing at a path
 */
export function jsonPatch<T>(value: T, operations: readonly PatchOperation[]): T {
  const patched = structuredClone(value);
  for (const { op, path, value: given } of operations) {
    const keys = path
      .split("/")
      .slice(1)
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop() ?? "";
    const parent = keys.reduce<Json | undefined>(member, patched as Json);
    const before = parent === undefined ? undefined : member(parent, last);
    const failed = before === undefined || (op === "test" && !equal(before, given));
    if (failed) throw new ApiError("the server rejected our request due to an error in our request", "Invalid");
    if (op === "replace") (parent as { [key: string]: Json })[last] = given;
  }
  return patched;
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return value !== undefined && isMap(value) ? value[key] : undefined;
}
