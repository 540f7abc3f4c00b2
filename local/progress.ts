import type { EngineEvent } from "./engine/events";
import { jsonProgress } from "./progress-json";
import { lineProgress } from "./progress-lines";
import { liveProgress } from "./progress-live";

/** Shows what the engine does while it does it. */
export interface Progress {
  event(event: EngineEvent): void;
  /** A line between the steps that is no step: what is being prepared, that the person asked to stop. */
  note(text: string): void;
  /** Nothing more will come: leave the terminal as a plain one. */
  end(): void;
}

/** One JSON object a line for programs, redrawn lines for a terminal, plain lines for everything else. */
export function showProgress(json: boolean, stream: NodeJS.WriteStream = process.stdout): Progress {
  if (json) return jsonProgress(stream);
  const live = stream.isTTY && process.env["TERM"] !== "dumb" && !process.env["CI"];
  return live ? liveProgress(stream) : lineProgress(stream);
}
