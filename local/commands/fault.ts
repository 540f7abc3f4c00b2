import { connect, running } from "../cloud/client";
import { FAULTS, readFaults, writeFaults } from "../faults";
import { columns } from "./output";
import type { Call, Verb } from "./verb";

export const fault: Verb = {
  name: "fault",
  arguments: "[name...]",
  summary:
    "make something in the local cloud go wrong: the names given, from now on; `none` ends it; without a name: a list",
  use: "changes",
  check({ arguments: names }) {
    const problems = names
      .filter((name) => name !== "none" && !Object.hasOwn(FAULTS, name))
      .map((name) => `${name} is not a fault that can be set; there are ${Object.keys(FAULTS).join(", ")}, and none`);
    if (names.length > 1 && names.includes("none")) problems.push("none ends all faults; it can't stand beside others");
    return problems;
  },
  async run(call: Call): Promise<number> {
    const { cloudDir, output } = call;
    if (call.arguments.length > 0) {
      writeFaults(cloudDir, call.arguments.includes("none") ? [] : [...new Set(call.arguments)]);
      // If the cloud is not running, it reads the file when it starts.
      if (await running(cloudDir)) await (await connect(cloudDir)).call("aws.applyFaults", undefined);
    }
    const active = readFaults(cloudDir);
    if (output.json) {
      output.event({ faults: active });
      return 0;
    }
    const rows = Object.entries(FAULTS).map(([name, what]) => [active.includes(name) ? "on " : "off", name, what]);
    for (const line of columns(rows)) output.line(line);
    output.line(
      "An image whose tag ends in -unready runs, but its readiness probe never passes: app.image=notes:1.1.0-unready",
    );
    return 0;
  },
};
