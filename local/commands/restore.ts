import { resolve } from "node:path";
import { running } from "../cloud/client";
import { neonAccess } from "../cloud/neon/service";
import { readOutputs } from "../engines";
import { environmentOf } from "../environment";
import { CommandError } from "../usage-error";
import { rdsVariables, runByHand } from "./by-hand";
import { byHandCommand, type Call, typed, type Verb } from "./verb";

export const restore: Verb = {
  name: "restore",
  arguments: "[words...]",
  summary:
    "a backup or a moment as a second database, beside the one that runs; check, list, remove, switch, switch-back, help",
  use: "changes",
  passesOptions: true,
  goesOn: true,
  async run(call: Call): Promise<number> {
    const { cloudDir, stack } = call;
    if (!(await running(cloudDir)))
      throw new CommandError(
        `The local cloud does not run, and nothing was started. To start it: ${typed(call, "up")}`,
      );
    const environment = {
      ...(await rdsVariables(cloudDir)),
      ...neonAccess(cloudDir),
      RELEASE_RESTORE_COMMAND: byHandCommand(call, "restore"),
      RELEASE_SWITCH_COMMANDS: JSON.stringify(switchCommands(call)),
    };
    const outputs = JSON.stringify(await readOutputs(stack));
    const files = { RELEASE_STACK_OUTPUTS: outputs };
    const status = await runByHand(call, ["restore", ...call.arguments], environment, files);
    const restores =
      !["check", "list", "remove", "help", "switch", "switch-back"].includes(call.arguments[0] ?? "") &&
      !["--plan", "--check"].some((each) => call.arguments.includes(each));
    // A dump is restored into a second database of the same server, and not to another one.
    const hasServer = environmentOf(stack)?.dumps === undefined;
    if (status === 0 && restores && hasServer && !call.output.json)
      call.output.line(`  To look at it: ${typed(call, "query", '"SELECT …"', "--instance", "NAME")}`);
    return status;
  },
};

const MAIN = resolve(__dirname, "../main.ts");

/** The settings that a switch changes. Those that were given by --config would otherwise precede its own. */
const SWITCHED = /^(app\.image|migrations\.until|release\.attempt|database\.)/;

/** The commands by which a switch changes the stack's settings and releases it, in place of those of the Pulumi CLI. */
function switchCommands({ stack }: Call): object {
  const overrides = stack.overrides.filter((each) => !SWITCHED.test(each));
  const options = [
    ...["--stack", stack.name, "--state-dir", stack.stateDir, "--cwd", stack.directory],
    ...overrides.flatMap((each) => ["--config", each]),
  ];
  const local = (verb: string) => [process.execPath, "--import", "tsx", MAIN, verb, ...options];
  const without = { stack: { ...stack, overrides } };
  return {
    ...{ config: local("config"), up: local("up") },
    shown: { config: typed(without, "config"), up: typed(without, "up") },
  };
}
