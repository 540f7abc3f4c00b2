import { writeSync } from "node:fs";
import { REPORT_LINE } from "../report/report-line";
import { jsonLine, oneLine } from "../text/printable";

/** The format of the log: plain lines for people, one JSON object per line, or lines that are comments of SQL. */
export type LogFormat = "text" | "json" | "sql";
/** The additional fields of an event in the JSON format. */
export type Fields = Record<
  string,
  string | number | boolean | null | undefined | readonly unknown[] | Readonly<Record<string, unknown>>
>;

/**
 * The log of a run: plain lines for people or, with `--json`, one JSON object per line with `time`, `event`, `message`
 * and the event's own fields. Lines are written synchronously, so that the last ones are out when the process ends.
 */
export class Log {
  readonly #secrets: string[] = [];
  #held: string | undefined;

  constructor(
    readonly format: LogFormat = "text",
    readonly write: (text: string) => void = (text) => writeAll(1, text),
  ) {}

  /** Replaces this text by `***` in everything that is logged from now on. */
  hide(secret: string): void {
    // Hiding a text of fewer than five characters would hide half the log and protect nothing.
    if (secret.length < 5) return;
    for (const form of [secret, encodeURIComponent(secret)])
      if (!this.#secrets.includes(form)) this.#secrets.push(form);
  }

  /**
   * Logs one event.
   * @param message one line or several; a line break within a line is escaped, and no line but the report's begins with
   * REPORT_LINE
   */
  event(event: string, message: string | readonly string[], fields: Fields = {}): void {
    const lines = [message].flat().map(oneLine);
    const text =
      this.format !== "json"
        ? lines
            .map(
              (line) =>
                `${this.format === "sql" ? "-- " : ""}${this.redact(event !== "report" && line.startsWith(REPORT_LINE) ? `  ${line}` : line)}\n`,
            )
            .join("")
        : `${this.redact(jsonLine({ time: new Date().toISOString(), event, message: lines.join("\n"), ...fields }))}\n`;
    if (this.#held === undefined) this.write(text);
    else this.#held += text;
  }

  /** Collects everything that `work` logs, and writes it in one piece. */
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
      // EPIPE means that the reader of a pipe has gone, so the rest is dropped. EAGAIN means that the reader is slow,
      // so the write is repeated until the pipe has room.
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
