import type { TableEffect } from "../../migrations/schema/effect";
import { blockedBy } from "../../migrations/sql/locks";
import type { Facts } from "../facts";
import type { Severity } from "../finding";
import { code, target } from "../names";
import { type Band, bandOf, longer } from "../size";

/** Returns the table on which a statement works longest. */
export function heaviestOf(
  working: readonly TableEffect[],
  facts: Facts,
): { band: Band; table: TableEffect } | undefined {
  let found: { band: Band; table: TableEffect } | undefined;
  for (const table of working) {
    const band = bandOf(table.work, facts.size(table.name));
    if (!found || longer(band, found.band) !== found.band) found = { band, table };
  }
  return found;
}

const queries = { "reads and writes": "All queries", writes: "INSERT, UPDATE, DELETE" } as const;

/** Writes which queries wait, such as "All queries on `User` and INSERT, UPDATE, DELETE on `Post` block." */
export function waiting(blocked: readonly TableEffect[]): string {
  const parts = (["reads and writes", "writes"] as const).flatMap((what) => {
    const tables = blocked.filter(({ lock }) => blockedBy(lock) === what).map(({ name }) => code(target(name)));
    return tables.length > 0 ? [`${queries[what]} on ${tables.join(", ")}`] : [];
  });
  return `${parts.join(" and ")} block.`;
}

/** Returns the severity of a wait by its duration. */
export function severityOf(band: Band): Severity {
  return band === "under 1 s" ? "info" : band === "seconds" || band === "unknown" ? "warning" : "error";
}
