import { createHash } from "node:crypto";
import { jsonLines } from "../../text/printable";
import type { Finding, Severity } from "../finding";
import type { Review } from "../review";
import { type FormatOptions, script } from "./rows";

const levels: Record<Severity, string> = { error: "error", warning: "warning", info: "note" };

/** Writes a review in SARIF 2.1.0, which the code scanning of GitHub and others can read. */
export function formatSarif(review: Review, { directory = "." }: FormatOptions = {}): string {
  const rules = [...new Set(review.findings.map(({ rule }) => rule))];
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "release-review",
            rules: rules.map((id) => ({
              id,
              shortDescription: { text: id.replaceAll("-", " ") },
              properties: {
                tags: [...new Set(review.findings.filter(({ rule }) => rule === id).flatMap(({ classes }) => classes))],
              },
            })),
          },
        },
        results: review.findings.map((finding) => ({
          ruleId: finding.rule,
          ruleIndex: rules.indexOf(finding.rule),
          level: levels[finding.severity],
          message: { text: messageOf(finding) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: fileOf(directory, finding).split("/").map(encodeURIComponent).join("/"),
                },
                region: { startLine: finding.line },
              },
            },
          ],
          partialFingerprints: {
            "finding/v1": createHash("sha256").update(`${finding.migration}\n${finding.id}`).digest("hex"),
          },
          ...suppressions(review, finding),
        })),
        ...(review.trial && { properties: { trial: { ...review.trial, findings: undefined } } }),
      },
    ],
  };
  return `${jsonLines(log)}\n`;
}

function suppressions(review: Review, finding: Finding) {
  const reason = review.acknowledged.find((item) => item.finding === finding)?.reason;
  return reason === undefined ? {} : { suppressions: [{ kind: "external", justification: reason }] };
}

/** Writes a finding as one text: what happens, who is affected, for how long, and what to write instead. */
export function messageOf({ what, who, howLong, safe }: Finding): string {
  const way = safe && safe.migrations.length > 0 ? ` Write instead:\n${script(safe.migrations)}` : "";
  return `${what} Affects: ${who} Duration: ${howLong}.${way}${safe?.note === undefined ? "" : `\n${safe.note}`}`;
}

/** Returns the path of the file that a finding is about, with forward slashes. */
export function fileOf(directory: string, { migration, file }: Pick<Finding, "migration" | "file">): string {
  if (file !== undefined) return file.replaceAll("\\", "/");
  return [directory.replaceAll("\\", "/").replace(/\/+$/, ""), migration, "migration.sql"]
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
