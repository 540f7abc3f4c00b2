import { CommandFailure, EXIT } from "../../by-hand/failure";
import { Kubectl } from "../../by-hand/kubectl";
import type { Output } from "../../by-hand/run-job";
import { kubeconfigFile } from "../../report/reader/kubectl";
import { shellWord } from "../../text/shell-word";
import type { SwitchOptions } from "../options";
import type { RestoreTarget } from "../target";
import { takenBack } from "./changes";
import { SwitchRecords } from "./record";
import { runBack } from "./run-back";
import { runSwitch, type SwitchRun } from "./run-switch";
import { removeSecrets, secretNames } from "./secrets";
import { namespaceOf, type SwitchStack, withSettings } from "./stack";
import { stackCommands } from "./stack-commands";

/** What a switch, or the way back, is run with. */
export interface SwitchCommand extends SwitchOptions {
  /** The name of the copy; undefined: the way back. */
  readonly copy: string | undefined;
  readonly plan: boolean;
  readonly json: boolean;
  /** The file with the outputs of the stack. */
  readonly outputs: string | undefined;
  /** The longest wait for the app's pods to end, in milliseconds. */
  readonly timeout: number;
  /** The namespace of the settings, as `--namespace` says. */
  readonly namespace: string | undefined;
}

/** What stands around the command. */
export interface SwitchSurroundings {
  readonly stack: SwitchStack;
  readonly stop: AbortSignal;
  /** Returns a command of `restore` as a person types it. */
  typed(...words: string[]): string;
  /** Returns the target that knows the copies of a stack's database. */
  targetOf(stack: SwitchStack): RestoreTarget;
  /** Reads the stack's files again. */
  reread(): SwitchStack;
}

/**
 * Moves the app to a copy, or back.
 * @returns the exit status
 */
export async function switchApp(
  command: SwitchCommand,
  { stack, stop, typed, targetOf, reread }: SwitchSurroundings,
  output: Output,
): Promise<number> {
  const { copy, image, acceptLoss, noUp, plan, json, timeout } = command;
  const namespace = namespaceOf(stack, command.namespace);
  const { kubectl, records, end } = open(stack);
  const more = image === undefined ? [] : ["--image", shellWord(image)];
  const run: SwitchRun = {
    ...{ stack, namespace, kubectl, records, stop, timeout, plan, json, acceptLoss, noUp, reread },
    commands: stackCommands(stack.name, namespace),
    typed: { switch: typed("switch", copy ?? "", ...more), back: typed("switch-back") },
  };
  try {
    if (copy === undefined) return await runBack(run, (name) => typed("remove", name), output);
    const begun = await records.read();
    const former = begun?.copy === copy ? withSettings(stack, namespace, takenBack(begun.changes)) : stack;
    const request = { copy, image, acceptLoss, outputs: command.outputs };
    return await runSwitch({ ...run, request, target: targetOf(former) }, output);
  } finally {
    end();
  }
}

/**
 * Sees that no app uses a copy that is to be removed.
 * @throws CommandFailure if one does
 */
export async function refuseUsed(stack: SwitchStack, copy: string, back: string): Promise<void> {
  const { records, end } = open(stack);
  try {
    // Where the cluster can't be asked, the target itself still refuses the database that the settings name.
    const record = await records.read().catch(() => undefined);
    if (record?.copy.toLowerCase() !== copy.toLowerCase()) return;
    throw new CommandFailure(
      EXIT.usage,
      record.phase === "switched" ? `The app uses ${copy}.` : `A switch to ${copy} has begun.`,
      "nothing was changed.",
      `${back}, then the same command again`,
    );
  } finally {
    end();
  }
}

/** Removes the Secrets that a switch has made for a copy, and says so. */
export async function removeCopySecrets(stack: SwitchStack, copy: string, say: (line: string) => void): Promise<void> {
  const { kubectl, end } = open(stack);
  const names = [...secretNames(stack.settings.database, copy).values()];
  try {
    for (const name of await removeSecrets(kubectl, names)) say(`Secret ${name} is gone too.`);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    say(
      `Whether a switch has made a Secret for it isn't known (${error.message}). By hand: ${kubectl.typed(`delete secret ${names[0]}`)}`,
    );
  } finally {
    end();
  }
}

function open({ settings, context, kubeconfig }: SwitchStack) {
  const given = kubeconfigFile(kubeconfig);
  const kubectl = new Kubectl({ namespace: settings.namespace, context, kubeconfig: given.path });
  return { kubectl, records: new SwitchRecords(kubectl, settings.app.name), end: () => given.remove() };
}
