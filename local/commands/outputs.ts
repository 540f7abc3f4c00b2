import type { Json } from "../cloud/provider";
import { readOutputs } from "../engines";
import { CommandError } from "../usage-error";
import { outputLines } from "./summary";
import { type Call, typed, type Verb } from "./verb";

export const outputs: Verb = {
  name: "outputs",
  arguments: "[name]",
  summary: "the outputs of the release that is live; one of them alone, to use in a script",
  use: "reads",
  async run(call: Call): Promise<number> {
    const { stack, output } = call;
    const found = await readOutputs(stack);
    const [name] = call.arguments;
    if (name !== undefined) {
      const value = valueAt(found, name);
      if (value === undefined) {
        const known = Object.keys(found);
        throw new CommandError(
          known.length === 0
            ? `Stack ${stack.name} has no outputs: no release is complete yet. To make one: ${typed(call, "up")}`
            : `Stack ${stack.name} has no output ${JSON.stringify(name)}; it has ${known.join(", ")}.`,
        );
      }
      output.line(output.json || typeof value === "object" ? JSON.stringify(value) : String(value));
    } else if (output.json) output.event(found);
    else if (Object.keys(found).length === 0) {
      output.line(`Stack ${stack.name} has no outputs: no release is complete yet. To make one: ${typed(call, "up")}`);
    } else for (const line of outputLines(found, output.style)) output.line(line);
    return 0;
  },
};

/** An output, or a part of one by its path with dots, as shown in the list of outputs: `snapshot.id`. */
function valueAt(outputs: Record<string, Json>, name: string): Json | undefined {
  if (Object.hasOwn(outputs, name)) return outputs[name];
  const steps = name.split(".");
  return steps.reduce<Json | undefined>(
    (value, step) =>
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, step)
        ? value[step]
        : undefined,
    outputs,
  );
}
