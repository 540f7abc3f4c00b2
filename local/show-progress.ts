import type { Progress } from "./progress";
import { jsonProgress } from "./progress-json";
import { lineProgress } from "./progress-lines";
import { liveProgress } from "./progress-live";

/** One JSON object a line for programs, redrawn lines for a terminal, plain lines for everything else. */
export function showProgress(json: boolean, stream: NodeJS.WriteStream = process.stdout): Progress {
  if (json) return jsonProgress(stream);
  const live = stream.isTTY && process.env["TERM"] !== "dumb" && !process.env["CI"];
  return live ? liveProgress(stream) : lineProgress(stream);
}
