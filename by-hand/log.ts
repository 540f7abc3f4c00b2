import { MIGRATOR_CONTAINER } from "../settings/pod/migration-pod";
import type { Kubectl } from "./kubectl";

/**
 * Follows a container's log. The stream ends with the container, and may break before: a proxy's or the API server's
 * time-out, a rotated log. `follow` may then be called again and goes on behind the last line, by the times of lines.
 */
export class LogStream {
  #last = "";

  constructor(
    readonly kubectl: Kubectl,
    readonly pod: string,
    readonly write: (line: string) => void,
  ) {}

  /** Passes on the lines that were not passed on before, until the stream ends. */
  async follow(): Promise<void> {
    const words = ["logs", this.pod, `--container=${MIGRATOR_CONTAINER}`, "--follow", "--timestamps"];
    const since = this.#last === "" ? [] : [`--since-time=${this.#last}`];
    const before = this.#last;
    await this.kubectl.follow([...words, ...since], (line) => {
      const space = line.indexOf(" ");
      const time = space < 0 ? line : line.slice(0, space);
      // Without fractions of the same length, texts of times would not compare like the times.
      if (before !== "" && comparable(time) <= comparable(before)) return;
      this.#last = time;
      this.write(space < 0 ? "" : line.slice(space + 1));
    });
  }
}

/** Returns a time of RFC 3339 with nine digits of its second's fraction, so that texts compare like times. */
function comparable(time: string): string {
  const [seconds = "", fraction = ""] = time.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}
