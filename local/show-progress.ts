import type { Progress } from "./progress";
import { jsonProgress } from "./progress-json";
import { lineProgress } from "./progress-lines";
import { liveProgress } from "./progress-live";

/** Chooses the display: JSON with --json, redrawn lines in a terminal, plain lines otherwise. */
export function showProgress(json: boolean, stream: NodeJS.WriteStream = process.stdout): Progress {
  if (json) return jsonProgress(stream);
  const live = stream.isTTY && process.env["TERM"] !== "dumb" && !process.env["CI"];
  return live ? liveProgress(stream) : lineProgress(stream);
}
