import { writeSync } from "node:fs";
import { REPORT_LINE } from "../report/report-line";
import { jsonLine, oneLine } from "../text/printable";

/** Plain lines for people, or one JSON object a line. */
export type LogFormat = "text" | "json";
/** An event's own fields in the JSON. */
export type Fields = Record<string, string | number | boolean | null | undefined | readonly string[]>;

/**
 * What a run says: plain lines for people, or one JSON object a line (`--json`) with `time`, `event`, `message` and the event's own fields.
 * Written synchronously, so that the last lines are out when the process ends.
 */
export class Log {
  readonly #secrets: string[] = [];
  #held: string | undefined;

  constructor(
    readonly format: LogFormat = "text",
    readonly write: (text: string) => void = (text) => writeAll(1, text),
  ) {}

  /** From now on this text is blotted out wherever it would be printed. */
  hide(secret: string): void {
    // A word of a few letters would blot out half the log and protect nothing.
    if (secret.length < 5) return;
    for (const form of [secret, encodeURIComponent(secret)])
      if (!this.#secrets.includes(form)) this.#secrets.push(form);
  }

  /**
   * @param message one line, or several: what stands in one of them can't begin another, nor be taken for the report
   */
  event(event: string, message: string | readonly string[], fields: Fields = {}): void {
    const lines = [message].flat().map(oneLine);
    const text =
      this.format === "text"
        ? lines
            .map((line) => `${this.redact(event !== "report" && line.startsWith(REPORT_LINE) ? `  ${line}` : line)}\n`)
            .join("")
        : `${this.redact(jsonLine({ time: new Date().toISOString(), event, message: lines.join("\n"), ...fields }))}\n`;
    if (this.#held === undefined) this.write(text);
    else this.#held += text;
  }

  /** What is said by `work` is written at once. */
  together(work: () => void): void {
    this.#held = "";
    try {
      work();
    } finally {
      const text = this.#held;
      this.#held = undefined;
      if (text !== "") this.write(text);
    }
  }

  redact(text: string): string {
    let result = text;
    for (const secret of this.#secrets) result = result.replaceAll(secret, "***");
    return result;
  }
}

function writeAll(descriptor: number, text: string): void {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // A pipe whose reader is slow: try again until it has room. A reader that went away wants no more lines.
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
