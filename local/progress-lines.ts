import { oneLine, printable } from "../text/printable";
import type { EngineEvent, StepEvent } from "./engine/events";
import type { Progress } from "./progress";
import { indent, kindOf, lasted, styler, wordsOf } from "./progress-text";

/** Writes one line when a step starts and one when it ends. */
export function lineProgress(stream: NodeJS.WriteStream): Progress {
  const lines = progressLines(stream);
  const write = (text: string | undefined) => text !== undefined && stream.write(`${text}\n`);
  return {
    event: (event) => write(lines.of(event)),
    note: (text) => write(text),
    end: () => undefined,
  };
}

export interface ProgressLines {
  /** The lines for an event; undefined if there is nothing new to show. */
  of(event: EngineEvent): string | undefined;
}

export function progressLines(stream: NodeJS.WriteStream): ProgressLines {
  const style = styler(stream);
  // The engine reports a failed step twice, as a step and as a diagnostic. The user sees it once.
  const told = new Set<string>();

  const ofStep = (event: StepEvent): string => {
    const { sign, doing, done, color } = wordsOf(event);
    const what = `${kindOf(event.type).padEnd(20)} ${oneLine(event.name)}`;
    if (event.status === "started") return `  ${style(color, sign)} ${what}  ${style("dim", `${doing} …`)}`;
    const time = style("dim", lasted(event));
    if (event.status === "succeeded") return `${style("green", "✓")} ${style(color, sign)} ${what}  ${done}  ${time}`;
    told.add(event.urn);
    return `${style("red", "✗")} ${style(color, sign)} ${what}  ${style("red", "failed")}  ${time}\n${indent(printable(event.error ?? ""))}`;
  };

  return {
    of(event) {
      if (event.kind === "summary") return undefined;
      if (event.kind === "step") return ofStep(event);
      if (event.severity === "error" && event.urn !== undefined && told.has(event.urn)) return undefined;
      const { color, sign } = SEVERITIES[event.severity];
      return indent(printable(event.message), "  ").replace(/^ {2}/, `${style(color, sign)} `);
    },
  };
}

const SEVERITIES = {
  info: { color: "cyan", sign: "i" },
  warning: { color: "yellow", sign: "!" },
  error: { color: "red", sign: "✗" },
} as const;
