import type { Json } from "../cloud/provider";
import { kindOf, seconds } from "../progress-text";
import { columns } from "./output";
import type { Ran } from "./run-engine";
import { type Call, typed } from "./verb";

/** An output with more values than this, such as the sizes of all tables, is shown as the number of its values. */
const MOST_VALUES = 12;

/** The outputs as a table. Nested values have a key with dots; a secret is shown as `[secret]`. */
export function outputLines(outputs: Record<string, Json>, style: Call["output"]["style"]): string[] {
  const rows: string[][] = [];
  const add = (key: string, value: Json) => {
    if (Array.isArray(value))
      rows.push([key, value.every((v) => typeof v !== "object") ? value.join(", ") : JSON.stringify(value)]);
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) add(`${key}.${name}`, inner);
    } else rows.push([key, String(value)]);
  };
  for (const [key, value] of Object.entries(outputs)) {
    const before = rows.length;
    add(key, value);
    const added = rows.length - before;
    if (added > MOST_VALUES) rows.splice(before, added, [key, `${added} values; alone: outputs ${key}`]);
  }
  return columns(rows.map(([key = "", value = ""]) => [`  ${style("cyan", key)}`, value]));
}

/** Writes the end of an engine's run: its last events with --json, otherwise a summary for the user. */
export function closeRun(call: Call, verb: string, ran: Ran, next: string): void {
  const { output } = call;
  const status = ran.ok && !ran.interrupted ? "succeeded" : ran.interrupted ? "interrupted" : "failed";
  if (output.json) {
    output.event({ kind: "outputs", outputs: ran.outputs });
    output.event({
      kind: "summary",
      verb,
      status,
      ok: ran.ok,
      summary: ran.summary,
      durationMs: ran.durationMs,
      errors: ran.errors,
    });
    return;
  }
  const steps = tally(ran);
  const time = seconds(ran.durationMs);
  output.line();
  if (status === "succeeded") {
    output.line(
      `${output.style("green", `${verb} succeeded`)} in ${time}: ${steps || "nothing to do, everything is as the program says"}.`,
    );
    return;
  }
  if (status === "interrupted") {
    output.line(`${output.style("yellow", `${verb} was interrupted`)} after ${time}: ${steps || "no step was taken"}.`);
  } else {
    const where = ran.failed.map((step) => `${kindOf(step.type)} ${step.name}`).join(", ");
    output.line(
      `${output.style("red", `${verb} failed`)} after ${time}${where ? ` at ${where}` : ""}: ${steps || "no step was taken"}.`,
    );
  }
  output.line(next);
}

const PAST: Record<string, string> = {
  create: "created",
  update: "updated",
  "create-replacement": "replaced",
  delete: "deleted",
  same: "unchanged",
  read: "read",
  refresh: "refreshed",
};

function tally({ steps }: Ran): string {
  const counts = new Map<string, number>();
  for (const step of steps) {
    // A replacement consists of three steps of the engine and counts as one for the user.
    if (step.status === "succeeded" && (step.op === "replace" || step.op === "delete-replaced")) continue;
    const name = step.status === "failed" ? "failed" : step.retained ? "kept in RDS" : (PAST[step.op] ?? step.op);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, number]) => `${number} ${name}`).join(", ");
}

/** The lines that tell the user which log or status to look at after a failure, and which command to run next. */
export function nextCommand(call: Call, verb: string, ran: Ran): string {
  const again = typed(call, verb);
  if (ran.interrupted) return `What ran has been finished and is in the state. To go on: ${again}`;
  const [failed] = ran.failed;
  const kind = failed && kindOf(failed.type);
  const look =
    kind === "Job"
      ? typed(call, "logs", failed!.name)
      : kind === "Deployment"
        ? typed(call, "logs", "app")
        : typed(call, "status");
  // A failed rollout is repaired with another image, so the command contains a placeholder instead of the failed image.
  const fixed =
    kind === "Deployment" ? typed({ stack: { ...call.stack, overrides: withImage(call, "IMAGE") } }, verb) : again;
  // An error without a step is shown just above as a whole.
  return `To see ${failed ? "why" : "what runs"}: ${look}\nOnce fixed, run: ${fixed}`;
}

function withImage({ stack }: Call, image: string): string[] {
  return [...stack.overrides.filter((each) => !each.startsWith("app.image=")), `app.image=${image}`];
}
