import { writeFileSync } from "node:fs";
import { keyOf, withKept, writeKept } from "../kept-settings";
import { neededSettings, readStack, shownOverride } from "../stack";
import { type Call, typed, type Verb } from "./verb";

export const config: Verb = {
  name: "config",
  arguments: "[key=value...]",
  summary: "settings that later commands of the stack use, such as app.image=notes:1.1.0; key= takes one back",
  use: "changes",
  async run(call: Call): Promise<number> {
    const { stack, stackDir, output } = call;
    const { directory, name, stateDir, overrides, location } = stack;
    const asTyped = { directory, name, stateDir, location };
    if (call.arguments.length > 0) {
      // All problems of the new settings are found before they are kept.
      const kept = withKept(stack.kept, call.arguments);
      readStack({ ...asTyped, overrides: kept });
      writeKept(stackDir, neededSettings(asTyped, kept));
    }
    const after = readStack({ ...asTyped, overrides });
    renewGiven(after.config, name);
    if (output.json) output.event({ kind: "config", kept: after.kept.map(shownOverride) });
    else if (after.kept.length === 0) output.line(`No settings are kept; those of the stack's file count.`);
    else {
      for (const each of after.kept) output.line(shownOverride(each));
      const key = keyOf(after.kept[0] ?? "");
      output.line(`They are used by every command of the stack. To take one back: ${typed(call, "config", `${key}=`)}`);
    }
    return 0;
  },
};

/** Gives the changed configuration to the command by hand that this one was started by, as the stack's file would. */
function renewGiven(changed: Readonly<Record<string, string>>, stack: string): void {
  const given = process.env["RELEASE_STACK_CONFIG"];
  if (given !== undefined) writeFileSync(given, JSON.stringify({ stack, config: changed }), { mode: 0o600 });
}
