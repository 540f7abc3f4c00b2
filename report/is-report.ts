import type { Report } from "./contract";

type Guard = (value: unknown) => boolean;

const text: Guard = (value) => typeof value === "string";
const number: Guard = (value) => typeof value === "number" && Number.isFinite(value);
const oneOf = (...values: unknown[]): Guard => values.includes.bind(values);
const either =
  (...guards: Guard[]): Guard =>
  (value) =>
    guards.some((guard) => guard(value));
const listOf =
  (item: Guard): Guard =>
  (value) =>
    Array.isArray(value) && value.every(item);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const valuesOf =
  (item: Guard): Guard =>
  (value) =>
    isObject(value) && Object.values(value).every(item);
const shape =
  (fields: Record<string, Guard>): Guard =>
  (value) =>
    isObject(value) &&
    Object.entries(fields).every(([key, guard]) => guard(Object.hasOwn(value, key) ? value[key] : undefined));

const missing = oneOf(undefined);
const finding = shape({ check: text, what: text, evidence: listOf(text), next: text });
const result = shape({
  name: text,
  title: text,
  outcome: oneOf("ok", "warn", "fail", "off", "unknown"),
  facts: text,
  findings: listOf(finding),
});
const report = shape({
  stage: oneOf("before", "after"),
  release: either(text, oneOf(null)),
  at: (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  database: text,
  snapshot: either(
    oneOf(null),
    shape({
      kind: either(missing, oneOf("snapshot", "dump", "branch")),
      id: text,
      createdAt: text,
      location: either(missing, text),
      completedAt: either(missing, text),
      checksum: either(missing, text),
    }),
  ),
  notes: valuesOf(text),
  results: listOf(result),
  pending: listOf(text),
  scope: listOf(text),
  tables: either(missing, valuesOf(shape({ rows: number, bytes: number }))),
  elapsed: either(missing, number),
});

/**
 * Returns whether a value read from a log or a database has every part of a report. A value that lacks one is not a
 * report, and none of its findings count.
 */
export function isReport(value: unknown): value is Report {
  return report(value);
}
