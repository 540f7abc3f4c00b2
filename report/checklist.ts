import { formatDuration } from "../text/short-duration";
import type { Report } from "./contract";

const MARK = { ok: "[x]", warn: "[!]", fail: "[ ]", off: "[-]", unknown: "[?]" } as const;

/** Writes a report as the lines that people read in the log of a Job. */
export function checklist(report: Report): string[] {
  const { stage, results, notes, snapshot, scope, pending, elapsed } = report;
  const lines = [stage === "before" ? "Checklist before the release" : "Checklist after the migrations"];
  for (const { title, outcome, facts, findings } of results) {
    lines.push(`  ${MARK[outcome]} ${title}: ${facts}`);
    for (const { what, evidence, next } of findings)
      lines.push(`      ${what}`, ...evidence.map((line) => `      ${line}`), `      Next: ${next}`);
  }
  const said = (key: string, title: string, otherwise: string) =>
    notes[key] === undefined ? `  [?] ${title}: ${otherwise}` : `  [x] ${title}: ${notes[key]}`;
  if (stage === "before")
    lines.push(
      snapshot
        ? `  [x] Backup: ${snapshot.kind ?? "snapshot"} ${snapshot.id} of ${snapshot.createdAt}`
        : "  [?] Backup: taken after this check, if the settings ask for it",
      said("tested", "Tested on another stage", "missing: set (--note tested=…)"),
      `  [x] Scope of impact: ${scope.length === 0 ? "no existing table is touched" : scope.join(" | ")}`,
      said("rollback", "Way back", "the snapshot, as the release's output `restore` says"),
      said("window", "Maintenance window", "missing: set (--note window=…)"),
      said("monitoring", "Monitoring", "missing: set (--note monitoring=…)"),
      `  [x] Pending: ${pending.length === 0 ? "nothing" : pending.join(", ")}`,
    );
  else {
    if (results.length === 0) lines.push("  [x] Schema, indexes, data: nothing was pending, and nothing was changed");
    lines.push(said("application", "Application and its logs", "after the rollout: smoke check, and migrator compare"));
    if (elapsed !== undefined) lines.push(`  [x] Time: ${formatDuration(elapsed)}`);
  }
  return lines;
}
