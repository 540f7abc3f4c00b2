import { stripVTControlCharacters } from "node:util";
import { jsonLine, printable } from "../../text/printable";
import { styler } from "../progress-text";

/** The destination of a verb's output: lines for a person, or with --json one JSON object per line. */
export interface Output {
  json: boolean;
  stream: NodeJS.WriteStream;
  style: ReturnType<typeof styler>;
  line(text?: string): void;
  event(event: object): void;
}

export function openOutput(json: boolean, stream: NodeJS.WriteStream = process.stdout): Output {
  return {
    json,
    stream,
    style: styler(stream),
    line: (text = "") => void stream.write(`${printableWithColors(text)}\n`),
    event: (event) => void stream.write(`${jsonLine(event)}\n`),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern must match control characters
const COLOR = /(\u001b\[[\d;]*m)/;

/** Keeps colour codes, which are harmless, and makes all other control sequences visible instead of sending them. */
function printableWithColors(text: string): string {
  return text
    .split(COLOR)
    .map((part) => (COLOR.test(part) ? part : printable(part)))
    .join("");
}

/** Pads each cell to the width of its column's widest cell; the last cell of a row is not padded. */
export function columns(rows: string[][], gap = "  "): string[] {
  const width = (cell: string) => stripVTControlCharacters(cell).length;
  const most = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: most }, (_, at) => Math.max(...rows.map((row) => width(row[at] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell + " ".repeat(widths[at]! - width(cell))))
      .join(gap)
      .trimEnd(),
  );
}

export function table(output: Output, head: string[], rows: string[][]): string[] {
  const [title = "", ...lines] = columns([head, ...rows]);
  return [output.style("bold", title), ...lines];
}

/** The distance of a time from now in its largest unit, such as `3 min ago`; empty for a missing time. */
export function ago(iso: string | undefined, now = Date.now()): string {
  if (iso === undefined) return "";
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
