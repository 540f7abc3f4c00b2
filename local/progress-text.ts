import { styleText } from "node:util";
import type { Operation, StepEvent } from "./engine/events";

/** The words and the sign for an operation while it runs and when it is done. */
const WORDS: Partial<
  Record<Operation, { sign: string; doing: string; done: string; color: "green" | "yellow" | "red" | "cyan" }>
> = {
  create: { sign: "+", doing: "creating", done: "created", color: "green" },
  "create-replacement": { sign: "+", doing: "replacing", done: "replaced", color: "green" },
  update: { sign: "~", doing: "updating", done: "updated", color: "yellow" },
  replace: { sign: "±", doing: "replacing", done: "replaced", color: "yellow" },
  delete: { sign: "-", doing: "deleting", done: "deleted", color: "red" },
  "delete-replaced": { sign: "-", doing: "deleting for replacement", done: "deleted for replacement", color: "red" },
  import: { sign: "=", doing: "taking over", done: "taken over", color: "cyan" },
  read: { sign: ">", doing: "reading", done: "read", color: "cyan" },
  refresh: { sign: "~", doing: "refreshing", done: "refreshed", color: "cyan" },
};
const OTHER = { sign: "·", doing: "working on", done: "done with", color: "cyan" } as const;
const RETAINED = {
  sign: "○",
  doing: "removing from state, snapshot kept",
  done: "removed from state, snapshot kept",
  color: "cyan",
} as const;

export function wordsOf(event: Pick<StepEvent, "op" | "retained">) {
  return event.retained ? RETAINED : (WORDS[event.op] ?? OTHER);
}

/** The last part of a type: `aws:rds/snapshot:Snapshot` is shown as Snapshot. */
export function kindOf(type: string): string {
  return type.slice(type.lastIndexOf(":") + 1);
}

export function seconds(milliseconds: number): string {
  const rounded = Math.max(0, milliseconds) / 1000;
  if (rounded < 59.95) return `${rounded.toFixed(1)}s`;
  const whole = Math.round(rounded);
  return whole < 3600
    ? `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`
    : `${Math.floor(whole / 3600)}h${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}m`;
}

export function lasted(event: StepEvent, now = Date.now()): string {
  return seconds((event.endedAt ? Date.parse(event.endedAt) : now) - Date.parse(event.startedAt));
}

type Format = Parameters<typeof styleText>[0];

/** Whether to use colours: in a terminal unless NO_COLOR is set or TERM is dumb, elsewhere if FORCE_COLOR is set. */
function colors(stream: NodeJS.WriteStream): boolean {
  if (process.env["NO_COLOR"] || process.env["TERM"] === "dumb") return false;
  return stream.isTTY === true || Boolean(process.env["FORCE_COLOR"] && process.env["FORCE_COLOR"] !== "0");
}

export function styler(stream: NodeJS.WriteStream): (format: Format, text: string) => string {
  const on = colors(stream);
  return (format, text) => (on ? styleText(format, text, { validateStream: false }) : text);
}

export function indent(text: string, by = "    "): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? line : by + line))
    .join("\n");
}
