import { jsonLine } from "../text/printable";
import type { Progress } from "./progress";

/** Writes the engine's events as JSON, one per line. */
export function jsonProgress(stream: NodeJS.WritableStream): Progress {
  const write = (event: object) => stream.write(`${jsonLine(event)}\n`);
  return {
    event: (event) => {
      // The command writes its own summary last, which also contains the outputs and the exit status.
      if (event.kind !== "summary") write(event);
    },
    note: (message) => write({ kind: "diagnostic", severity: "info", message }),
    end: () => undefined,
  };
}
