import type { Report } from "./contract";
import { either, listOf, number, oneOf, shape, text, valuesOf } from "./guards";

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
