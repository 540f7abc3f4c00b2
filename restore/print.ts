import type { Difference, ListedCopy, RestorePlan } from "./target";

/** Returns a table's lines, with columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Returns what a restore will do, before it begins. */
export function announcement(plan: RestorePlan, stack: string): string[] {
  return [
    `Restore of ${plan.source} (stack ${stack}, ${plan.place})`,
    `  to  ${plan.from}`,
    `  as  ${plan.copy}${plan.exists ? ", which an earlier run has begun" : ", a second database beside it"}`,
    ...plan.notes.map((note) => `  Note: ${note}`),
  ];
}

/** Returns every call of a plan, with its parameters and as a command of the AWS CLI. */
export function planLines({ calls }: RestorePlan): string[] {
  return calls.flatMap(({ what, operation, parameters, typed, until = "it is available" }, index) => [
    "",
    `${index + 1}. ${operation}: ${what}${until === null ? "" : `; waited for until ${until}`}`,
    ...table(Object.entries(parameters).map(([name, value]) => [`     ${name}`, shown(value)])),
    ...typed.split("\n").map((line) => `     ${line}`),
  ]);
}

function shown(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns what the copy lacks of its source, as a table. */
export function differenceLines(differences: readonly Difference[]): string[] {
  if (differences.length === 0) return ["It differs from its source in nothing."];
  const rows = differences.map(({ parameter, source, copy }) => [`  ${parameter}`, source, copy]);
  const notes = differences.flatMap(({ parameter, note }) => (note === undefined ? [] : [`  ${parameter}: ${note}`]));
  return ["What differs:", ...table([["  parameter", "source", "copy"], ...rows]), ...notes];
}

/** Returns the list of restored databases. */
export function listLines(copies: readonly ListedCopy[]): string[] {
  if (copies.length === 0) return ["There are no restored databases."];
  const rows = copies.map(({ name, status, source, from, createdAt, protectedFromDeletion }) => [
    name,
    protectedFromDeletion ? `${status}, protected` : status,
    source,
    from,
    createdAt?.toISOString().slice(0, 16).replace("T", " ") ?? "",
  ]);
  return table([["NAME", "STATUS", "OF", "FROM", "MADE (UTC)"], ...rows]);
}
