import { counted } from "../text/counted";
import { markdownBlock, markdownCode, markdownText } from "../text/markdown";
import { oneLine } from "../text/printable";
import { formatDuration } from "../text/short-duration";
import { sizeText } from "../text/table-size";
import type { Report, ReportedResult } from "./contract";
import { measuredPart } from "./measured-part";
import type { RehearsalProof } from "./rehearsal-proof";
import { checkProblem, type RestoreCheck } from "./restore-check";

/** The data that the page shows of a release in addition to the reports of its Jobs. */
export interface ReleasePage {
  readonly release: string;
  readonly app: string;
  readonly stack: string;
  readonly namespace: string;
  readonly image: string;
  readonly url: string;
  /** The time at which the page was written, at the end of the release, ISO 8601. */
  readonly at: string;
  /** The command that checked the new version, if there is one. It succeeded, because otherwise no page is written. */
  readonly smoke?: string | undefined;
  /** The command that restores the backup as a second database. */
  readonly restore?: string | undefined;
  /** The last check that restored a backup; undefined if there was none, or it is unknown. */
  readonly restoreCheck?: RestoreCheck | undefined;
  /** The last rehearsal, if it was one of these migrations; undefined if there was none of them, or it is unknown. */
  readonly rehearsal?: RehearsalProof | undefined;
  /** The Jobs whose part is missing, and why. */
  readonly missing: readonly { job: string; reason: string }[];
  /** The commands that show the logs. */
  readonly logs: readonly string[];
}

const OUTCOME = { ok: "✅", warn: "⚠️", fail: "❌", off: "–", unknown: "❔" } as const;
const OPEN = "❔";

type Row = [mark: string, point: string, known: string];

/**
 * Writes the release's reports as a page for a change ticket: first a summary, then every check of every Job. Without
 * `page` only the checks are written, for a check that was run by hand.
 */
export function markdownReport(reports: readonly Report[], page?: ReleasePage): string {
  const parts = reports.flatMap((report, index) => part(report, titleOf(reports, index), page !== undefined));
  const measured = page?.rehearsal && applied(reports) ? measuredPart(page.rehearsal) : [];
  return `${[...(page ? head(reports, page) : []), ...measured, ...parts].join("\n").trimEnd()}\n`;
}

function titleOf(reports: readonly Report[], index: number): string {
  if (reports[index]!.stage === "before") return "Before the release";
  // The second report after migrations comes from the Job for contract migrations, which runs after the rollout.
  const earlier = reports.slice(0, index).some(({ stage }) => stage === "after");
  return earlier ? "After the contract migrations" : "After the migrations";
}

function head(reports: readonly Report[], page: ReleasePage): string[] {
  const findings = reports.flatMap(({ results }) => results.flatMap((each) => each.findings));
  const before = reports.find(({ stage }) => stage === "before");
  const after = reports.filter(({ stage }) => stage === "after");
  const known =
    findings.length === 0 ? "no findings" : counted(findings.length, "finding to look at", "findings to look at");
  const verdict =
    page.missing.length === 0 ? known : `findings not known in full: ${known} in the parts that could be read`;
  const lines = [
    `# ${markdownText(page.app)}: release ${markdownText(page.release)} of ${markdownText(page.stack)}`,
    "",
    `**Complete on ${minute(page.at)}: ${migrated(before)}, the new version serves, ${verdict}.**`,
    "",
    ...table("Checklist", [
      backup(after, page),
      said(before, "tested", "Tested on another stage", "report.tested"),
      ...rehearsed(before, page),
      scope(before),
      rollback(before, page),
      ...recovery(page),
      said(before, "window", "Maintenance window", "report.window"),
      said(before, "monitoring", "Monitoring", "report.monitoring"),
    ]),
    ...table("Result", [
      checked(after, "Schema", ["finished", "schema-complete"]),
      checked(after, "Indexes", ["valid-indexes"]),
      checked(after, "Data", ["constraints", "rows", "sequences-ahead"]),
      checked(after, "Performance", ["analyzed", "slowest"]),
      application(before, page),
      ["✅", "Logs", page.logs.map(markdownCode).join("<br>")],
      ["✅", "Times", times(reports)],
    ]),
  ];
  for (const { job, reason } of page.missing)
    lines.push(`> ⚠️ The part of Job ${markdownCode(job)} is missing here: ${markdownText(reason)}`, "");
  return lines;
}

function table(title: string, rows: Row[]): string[] {
  return [`| | ${title} | |`, "|---|---|---|", ...rows.map((cells) => `| ${cells.join(" | ")} |`), ""];
}

function migrated(before: Report | undefined): string {
  if (!before) return "what the preflight found is missing below";
  return before.pending.length === 0 ? "no migration was pending" : counted(before.pending.length, "migration");
}

function backup(after: readonly Report[], { missing }: ReleasePage): Row {
  const made = after.find((each) => each.snapshot)?.snapshot;
  if (made) return ["✅", "Backup", backupText(made)];
  if (after.length > 0 && after.every(({ results }) => results.length === 0))
    return ["–", "Backup", "none: nothing was pending, and nothing was changed"];
  return after.length === 0 && missing.length > 0
    ? [OPEN, "Backup", "not known here: a part is missing, see below"]
    : ["–", "Backup", "none, by the setting backup.mode"];
}

/** Describes a backup. An older version of this project knew snapshots only, and reported no kind. */
function backupText({ kind = "snapshot", id, location, createdAt, checksum }: NonNullable<Report["snapshot"]>): string {
  const sum = checksum === undefined ? "" : `, sha-256 ${markdownCode(checksum)}`;
  return `${kind} ${markdownCode(location ?? id)} of ${minute(createdAt)}${sum}`;
}

function said(before: Report | undefined, note: string, point: string, setting: string): Row {
  const text = before?.notes[note];
  return text === undefined ? [OPEN, point, `missing: set \`${setting}\``] : ["✅", point, markdownText(text)];
}

/** Whether the release had migrations to apply. */
function applied(reports: readonly Report[]): boolean {
  return reports.some(({ stage, pending }) => stage === "before" && pending.length > 0);
}

/** The rehearsal of the migrations on a copy; nothing if there was none. */
function rehearsed(before: Report | undefined, { rehearsal }: ReleasePage): Row[] {
  if (!rehearsal || !before || before.pending.length === 0) return [];
  const { result, at, of, reason, measurement } = rehearsal;
  const when = `on ${minute(at)}, on a copy of ${markdownText(of)}`;
  if (result === "failed")
    return [[OUTCOME.warn, "Rehearsed", `failed ${when}: ${markdownText(reason ?? "see its log")}`]];
  const took = measurement ? `, in ${formatDuration(measurement.milliseconds)}` : "";
  return [[OUTCOME.ok, "Rehearsed", `${when}${took}`]];
}

function scope(before: Report | undefined): Row {
  if (!before) return [OPEN, "Scope of impact", "not known here: a part is missing, see below"];
  if (before.scope.length === 0) return ["✅", "Scope of impact", "no existing table is touched"];
  return ["✅", "Scope of impact", before.scope.map(markdownText).join("<br>")];
}

function rollback(before: Report | undefined, { restore }: ReleasePage): Row {
  const text = before?.notes["rollback"];
  const known = [text && markdownText(text), restore && markdownCode(restore)].filter(Boolean);
  return known.length > 0
    ? ["✅", "Rollback plan", known.join("<br>")]
    : [OPEN, "Rollback plan", "missing: set `report.rollback`; there is no backup"];
}

/** The time that a recovery takes, as the last check has measured it; nothing if there was no check. */
function recovery({ restoreCheck: check, at }: ReleasePage): Row[] {
  if (!check) return [];
  const problem = checkProblem(check, new Date(at));
  const measured = `${formatDuration(check.seconds * 1000)}, measured on ${minute(check.at)} with ${check.backup}`;
  const known = check.result === "restored" ? [markdownText(measured)] : [];
  const told = problem === undefined ? [] : [markdownText(problem)];
  return [[problem === undefined ? OUTCOME.ok : OUTCOME.warn, "Recovery time", [...known, ...told].join("<br>")]];
}

/** Sums up several checks in one row: the worst outcome, and the facts of each check. */
function checked(after: readonly Report[], point: string, names: readonly string[]): Row {
  const results = after.flatMap(({ results: all }) => all.filter(({ name }) => names.includes(name)));
  if (results.length === 0)
    return after.length > 0
      ? ["–", point, "nothing was pending, and nothing was changed"]
      : [OPEN, point, "not known here: a part is missing, see below"];
  const worst = (["fail", "warn", "unknown", "ok", "off"] as const).find((outcome) =>
    results.some((result) => result.outcome === outcome),
  )!;
  return [OUTCOME[worst], point, results.map(({ title, facts }) => markdownText(`${title}: ${facts}`)).join("<br>")];
}

function application(before: Report | undefined, { url, image, smoke }: ReleasePage): Row {
  const known = [
    `${markdownCode(image)} serves at ${/^https?:\/\/[\w.:/-]+$/.test(url) ? url : markdownText(url)}`,
    smoke ? `smoke check passed: ${markdownCode(smoke)}` : "skipped: no smoke check is set (`smoke.command`)",
    ...(before?.notes["application"] === undefined ? [] : [markdownText(before.notes["application"])]),
  ];
  return ["✅", "Application", known.join("<br>")];
}

function times(reports: readonly Report[]): string {
  const jobs = reports.map(({ stage, elapsed }) => {
    const name = stage === "before" ? "preflight" : "migration";
    return elapsed === undefined ? undefined : `${name} ${formatDuration(elapsed)}`;
  });
  return jobs.filter(Boolean).join(", ") || "not known";
}

/** Writes the whole report of one Job. */
function part({ stage, results, notes, ...report }: Report, title: string, summed: boolean): string[] {
  const lines = [`## ${title}`, ""];
  lines.push(
    `Release ${markdownCode(report.release ?? "by hand")} of database ${markdownCode(report.database)}, ${minute(report.at)}.`,
    "",
  );
  if (report.snapshot) lines.push(`Backup: ${backupText(report.snapshot)}.`, "");
  if (stage === "before") {
    const names = report.pending.map(markdownCode).join(", ");
    lines.push(`Pending: ${names || "nothing"}.`, "");
  }
  if (results.length === 0) lines.push("Nothing was pending, and nothing was changed.", "");
  else lines.push("| | check | what is known |", "|---|---|---|", ...results.map(row), "");
  for (const { findings } of results)
    for (const { what, evidence, next } of findings) {
      lines.push(`- **${markdownText(what)}** Next: ${markdownText(next)}`);
      if (evidence.length > 0)
        lines.push(
          ...markdownBlock(evidence.map((line) => oneLine(line.trim())).join("\n")).map((line) => `  ${line}`),
        );
    }
  if (report.scope.length > 0)
    lines.push(...gap(lines), "Tables touched:", "", ...report.scope.map((line) => `- ${markdownText(line)}`));
  lines.push(...gap(lines), ...largest(report.tables));
  // On a whole page the checklist contains the notes.
  if (!summed && Object.keys(notes).length > 0) {
    lines.push(...gap(lines));
    for (const [key, value] of Object.entries(notes)) lines.push(`- ${markdownText(key)}: ${markdownText(value)}`);
  }
  return [...lines, ""];
}

/** Returns an empty line, unless the last line is empty already. */
function gap(lines: readonly string[]): string[] {
  return lines.at(-1) === "" ? [] : [""];
}

/** The number of recorded tables that a page shows. */
const SHOWN = 10;

function largest(tables: Report["tables"] = {}): string[] {
  const rows = Object.entries(tables);
  if (rows.length === 0) return [];
  const shown = rows.slice(0, SHOWN).map(([name, size]) => `| ${markdownText(name)} | ${sizeText(size)} |`);
  return [rows.length > SHOWN ? `| largest of ${rows.length} tables | |` : "| table | |", "|---|---|", ...shown];
}

function row({ title, outcome, facts }: ReportedResult): string {
  return `| ${OUTCOME[outcome]} | ${markdownText(title)} | ${markdownText(facts)} |`;
}

/** Formats a time as `2026-11-21 15:04 UTC`. */
function minute(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? markdownText(iso) : `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
