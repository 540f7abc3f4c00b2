import { oneLine, printable } from "../../text/printable";
import type { Review } from "../review";
import { type FormatOptions, notesOf, verdict } from "./rows";
import { fileOf, messageOf } from "./sarif";

const commands = { error: "error", warning: "warning", info: "notice" };

/** Workflow commands: GitHub shows them beside the lines of the pull request. */
export function formatGithub(review: Review, options: FormatOptions = {}): string {
  const { directory = "." } = options;
  const lines = review.findings.map((finding) => {
    const command = review.refused.includes(finding) ? "error" : commands[finding.severity];
    const file = property(fileOf(directory, finding.migration));
    return `::${command} file=${file},line=${finding.line},title=${property(finding.id)}::${data(messageOf(finding))}`;
  });
  return `${[...[verdict(review), ...notesOf(review, options)].map(oneLine), ...lines].join("\n")}\n`;
}

/** Source: actions/toolkit, command.ts: what ends a command, or a property of it, is encoded. */
function data(text: string): string {
  return printable(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
