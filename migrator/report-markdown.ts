import type { CheckResult } from "./finding";
import type { Report } from "./report";

const OUTCOME = { ok: "✅", warn: "⚠️", fail: "❌", off: "–", unknown: "❔" } as const;

/** The release's report as a page for a change ticket: what was found before, and after. */
export function markdownReport(reports: readonly Report[]): string {
  const lines: string[] = [];
  for (const report of reports) {
    const { stage, release, at, database, results, scope, pending, snapshot, notes } = report;
    lines.push(`## ${stage === "before" ? "Before the release" : "After the migrations"}`, "");
    lines.push(`Release \`${release ?? "by hand"}\` of database \`${database}\`, ${at}.`, "");
    if (snapshot) lines.push(`Backup: snapshot \`${snapshot.id}\` of ${snapshot.createdAt}.`, "");
    if (stage === "before")
      lines.push(`Pending: ${pending.length === 0 ? "nothing" : pending.map((name) => `\`${name}\``).join(", ")}.`, "");
    lines.push("| | check | what is known |", "|---|---|---|", ...results.map(row), "");
    for (const { findings } of results)
      for (const { what, evidence, next } of findings) {
        lines.push(`- **${escapeMarkdown(what)}** Next: ${escapeMarkdown(next)}`);
        if (evidence.length > 0) lines.push("  ```", ...evidence.map((line) => `  ${line.trim()}`), "  ```");
      }
    if (scope.length > 0) lines.push("", "Tables touched:", ...scope.map((line) => `- ${escapeMarkdown(line)}`));
    for (const [key, value] of Object.entries(notes)) lines.push(`- ${escapeMarkdown(key)}: ${escapeMarkdown(value)}`);
    lines.push("");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function row({ title, outcome, facts }: CheckResult): string {
  return `| ${OUTCOME[outcome]} | ${escapeMarkdown(title)} | ${escapeMarkdown(facts)} |`;
}

function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\|<>*_`]/g, (character) => (character === "<" ? "&lt;" : character === ">" ? "&gt;" : `\\${character}`))
    .replace(/\s+/g, " ");
}
