/** Whether a value that was read from a log, a database or the cluster has a shape. */
export type Guard = (value: unknown) => boolean;

/** A text. */
export const text: Guard = (value) => typeof value === "string";
/** A number that JSON can write. */
export const number: Guard = (value) => typeof value === "number" && Number.isFinite(value);
/** One of some values; `oneOf(undefined)` lets a field be missing. */
export const oneOf = (...values: unknown[]): Guard => values.includes.bind(values);

/** A value of one of some shapes. */
export const either =
  (...guards: Guard[]): Guard =>
  (value) =>
    guards.some((guard) => guard(value));
/** A list. */
export const listOf =
  (item: Guard): Guard =>
  (value) =>
    Array.isArray(value) && value.every(item);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** An object whose keys are any texts. */
export const valuesOf =
  (item: Guard): Guard =>
  (value) =>
    isObject(value) && Object.values(value).every(item);
/** An object with these fields; it may have others. */
export const shape =
  (fields: Record<string, Guard>): Guard =>
  (value) =>
    isObject(value) &&
    Object.entries(fields).every(([key, guard]) => guard(Object.hasOwn(value, key) ? value[key] : undefined));
