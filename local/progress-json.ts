import { jsonLine } from "../text/printable";
import type { Progress } from "./progress";

/** The engine's events as they are, one a line. */
export function jsonProgress(stream: NodeJS.WritableStream): Progress {
  const write = (event: object) => stream.write(`${jsonLine(event)}\n`);
  return {
    event: (event) => {
      // The command's own summary, written last, says more: outputs, the exit status.
      if (event.kind !== "summary") write(event);
    },
    note: (message) => write({ kind: "diagnostic", severity: "info", message }),
    end: () => undefined,
  };
}
