import { oneLine, printable } from "../../text/printable";
import type { Review } from "../review";
import { measuredLines } from "./measured";
import { type FormatOptions, notesOf, verdict } from "./rows";
import { fileOf, messageOf } from "./sarif";

const commands = { error: "error", warning: "warning", info: "notice" };

/** Writes a review as GitHub's workflow commands, which GitHub shows beside the lines of the pull request. */
export function formatGithub(review: Review, options: FormatOptions = {}): string {
  const { directory = "." } = options;
  const lines = review.findings.map((finding) => {
    const command = review.refused.includes(finding) ? "error" : commands[finding.severity];
    const file = property(fileOf(directory, finding));
    return `::${command} file=${file},line=${finding.line},title=${property(finding.id)}::${data(messageOf(finding))}`;
  });
  const head = [verdict(review), ...notesOf(review, options), ...measuredLines(review)];
  return `${[...head.map(oneLine), ...lines].join("\n")}\n`;
}

/** Encodes the characters that would end a workflow command (source: actions/toolkit, command.ts). */
function data(text: string): string {
  return printable(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
