import type { Output } from "../by-hand/run-job";
import { readCommandStack, stacksIn } from "../by-hand/stack";
import { runCommand, stopSignal, terminal } from "../by-hand/terminal";
import { commandByHand } from "../by-hand/typed-command";
import { shellWord } from "../text/shell-word";
import { helpText, type RestoreCommand, readRestoreCommand } from "./options";
import { listLines } from "./print";
import { runCheck } from "./run-check";
import { runRestore } from "./run-restore";
import { refuseUsed, removeCopySecrets, switchApp } from "./switch/command";
import { SWITCH_SECTIONS, type SwitchStack } from "./switch/stack";
import type { RestoreTarget } from "./target";
import { targetOf } from "./targets";

/** The longest wait for the app's pods to end where `--timeout` is that of the restore, in milliseconds. */
const POD_MS = 600_000;

/**
 * Runs `npm run restore -- …`: makes a second database beside the stack's own from a backup, or lists and removes such
 * databases, or moves the app to one of them and back. The stack's own database is only read.
 * @returns the exit status
 */
async function main(args: readonly string[], output: Output): Promise<number> {
  const directory = process.cwd();
  if (args[0] === "help" || args.includes("--help")) {
    process.stdout.write(helpText());
    return 0;
  }
  const command = readRestoreCommand(args, stacksIn(directory));
  const reread = () => readCommandStack(directory, command.stack, command, SWITCH_SECTIONS);
  const stack = reread();
  const stop = stopSignal(() => "Leaving. What of the copy is being made goes on.", output.say);
  const typed = (...words: string[]) =>
    `${commandByHand("restore")} ${[...words, "--stack", shellWord(stack.name)].join(" ")}`;
  const removal = (name: string, ...more: string[]) => typed("remove", name, ...more);
  const patience = { timeout: command.timeout, stop, removal };
  const commands = { removal, list: typed("list"), rerun: "the same command again" };
  const chosen = { to: undefined, identity: undefined, into: undefined, ...command };
  const around = {
    stack,
    stop,
    typed,
    reread,
    targetOf: (of: SwitchStack) => targetOf({ stack: of, patience, commands, chosen, say: output.say }),
  };
  if (command.verb === "switch") return switchApp({ ...command, copy: command.name }, around, output);
  if (command.verb === "switch-back")
    return switchApp({ ...command, copy: undefined, outputs: undefined }, around, output);
  const target = around.targetOf(stack);
  if (command.verb === "list") return list(target, command, output);
  if (command.verb === "check") return runCheck({ command, stack, target, stop }, output);
  if (command.verb === "restore") {
    const { switch: moving } = command;
    const then =
      moving && ((copy: string) => switchApp({ ...command, ...moving, timeout: POD_MS, copy }, around, output));
    return runRestore({ command, stack, target, stop, typed, then }, output);
  }
  await refuseUsed(stack, command.name, typed("switch-back"));
  await target.remove(command.name, command.unprotect, output.say);
  await removeCopySecrets(stack, command.name, output.say);
  output.log(command.json ? JSON.stringify({ event: "removed", name: command.name }) : `${command.name} is gone.`);
  return 0;
}

async function list(target: RestoreTarget, { json }: RestoreCommand, output: Output): Promise<number> {
  const copies = await target.list();
  if (json) for (const copy of copies) output.log(JSON.stringify({ event: "copy", ...copy }));
  else for (const line of listLines(copies)) output.log(line);
  return 0;
}

runCommand(() => main(process.argv.slice(2), terminal));
