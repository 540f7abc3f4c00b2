import type { StepEvent } from "../engine/events";
import { resourcesOf } from "../engines";
import { kindOf, wordsOf } from "../progress-text";
import { columns } from "./output";
import { exitStatus, type Ran, runEngine } from "./run-engine";
import { closeRun } from "./summary";
import { type Call, typed, type Verb } from "./verb";

/** The words for a step in a preview, which does nothing yet, so "creating …" would be wrong. */
const WOULD: Record<string, string> = {
  create: "would be created",
  "create-replacement": "would be replaced",
  import: "is there already, and would be taken over",
  update: "would be updated",
  delete: "would be deleted",
  "delete-replaced": "would be deleted for replacement",
  read: "would be read",
};

export const preview: Verb = {
  name: "preview",
  summary: "say what `up` would create, replace, update, keep and delete; changes nothing, needs nothing running",
  use: "reads",
  async run(call: Call): Promise<number> {
    const ran = await runEngine("preview", call);
    const { output } = call;
    if (output.json) closeRun(call, "preview", ran, "");
    else if (!ran.ok)
      closeRun(call, "preview", ran, `Nothing was touched. After the repair: ${typed(call, "preview")}`);
    else for (const line of describe(call, ran)) output.line(line);
    return exitStatus(ran);
  },
};

function describe(call: Call, ran: Ran): string[] {
  const { style } = call.output;
  const steps = ran.steps.filter(({ op }) => op !== "replace");
  const rows = steps.map((step) => {
    const { sign, color } = wordsOf(step);
    return [`${style(color, sign)} ${kindOf(step.type)}`, step.name, would(step)];
  });
  const touched = new Set(ran.steps.map(({ urn }) => urn));
  const kept = resourcesOf(call.stack).filter(({ urn }) => !touched.has(urn));
  for (const { type, urn } of kept) {
    rows.push([`  ${kindOf(type)}`, urn.slice(urn.lastIndexOf("::") + 2), style("dim", "kept as it is")]);
  }
  const lines = columns(rows);
  const end =
    ran.steps.length === 0
      ? "`up` would do nothing: everything is as the program says."
      : `Nothing was touched. To do it: ${typed(call, "up")}`;
  return [...lines, "", end];
}

function would(step: StepEvent): string {
  const words = step.retained ? "no longer managed; the snapshot stays in RDS" : (WOULD[step.op] ?? step.op);
  const why = step.replaces?.length ? step.replaces : step.diffs;
  return why?.length ? `${words} (${why.slice(0, 4).join(", ")}${why.length > 4 ? ", …" : ""})` : words;
}
