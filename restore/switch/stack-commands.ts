import { spawn } from "node:child_process";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { shellWord } from "../../text/shell-word";
import { type Change, pathText, valueText } from "./changes";

/** The variable with the commands of the local cloud, as JSON: the words of `config` and of `up`, and how they are shown. */
const COMMANDS_VARIABLE = "RELEASE_SWITCH_COMMANDS";

/** The commands of the local cloud that stand in for Pulumi's. */
interface LocalCommands {
  /** The words before `KEY=VALUE …`. */
  readonly config: readonly string[];
  readonly up: readonly string[];
  readonly shown: { readonly config: string; readonly up: string };
}

/** A command that changes the stack, and how a person types it. */
interface StackCommand {
  readonly words: readonly string[];
  readonly shown: string;
}

/** The commands that change a stack's settings and release it. */
export interface StackCommands {
  /** Change the settings, in order. */
  config(changes: readonly Change[]): StackCommand[];
  readonly up: StackCommand;
  /** The file that the first ones change, and that the repository has; undefined: they change none. */
  readonly file: string | undefined;
}

/**
 * Returns the commands of the Pulumi CLI, or those that the local cloud has instead.
 * @param namespace the namespace of the settings in the stack's configuration
 */
export function stackCommands(stack: string, namespace: string): StackCommands {
  const local = process.env[COMMANDS_VARIABLE];
  return local === undefined ? pulumiCommands(stack, namespace) : localCommands(JSON.parse(local) as LocalCommands);
}

function pulumiCommands(stack: string, namespace: string): StackCommands {
  const of = ["--stack", stack];
  const command = (...words: string[]): StackCommand => ({ words, shown: words.map(shellWord).join(" ") });
  return {
    config: (changes) => {
      const set = changes.flatMap(({ path, value }) =>
        // The text of an image with a digest looks like a secret to Pulumi, which would refuse it otherwise.
        value === undefined ? [] : ["--plaintext", `${pathText(namespace, path)}=${valueText(value)}`],
      );
      const removed = changes.flatMap(({ path, value }) => (value === undefined ? [pathText(namespace, path)] : []));
      return [
        ...(set.length > 0 ? [command("pulumi", "config", "set-all", "--path", ...set, ...of)] : []),
        ...(removed.length > 0 ? [command("pulumi", "config", "rm-all", "--path", ...removed, ...of)] : []),
      ];
    },
    up: command("pulumi", "up", "--yes", "--non-interactive", ...of),
    file: `Pulumi.${stack}.yaml`,
  };
}

function localCommands({ config, up, shown }: LocalCommands): StackCommands {
  return {
    config: (changes) => {
      const words = changes.map(
        ({ path, value }) => `${path.join(".")}=${value === undefined ? "" : JSON.stringify(value)}`,
      );
      if (words.length === 0) return [];
      return [{ words: [...config, ...words], shown: [shown.config, ...words.map(shellWord)].join(" ") }];
    },
    up: { words: up, shown: shown.up },
    file: undefined,
  };
}

/**
 * Runs a command until its end, with its output in the terminal.
 * @param stop is aborted by Ctrl-C, and the command is then interrupted too
 * @param quiet whether its standard output goes to our standard error, because ours is JSON
 * @returns its exit status
 * @throws CommandFailure if it can't be started
 */
export function runStackCommand({ words }: StackCommand, stop: AbortSignal, quiet: boolean): Promise<number> {
  const [program = "", ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", quiet ? 2 : 1, 2] });
    // A terminal sends Ctrl-C to the child too. Pulumi ends at once at the second signal, so only others are passed on.
    const interrupt = () => {
      if (stop.reason !== "SIGINT") child.kill("SIGINT");
    };
    stop.addEventListener("abort", interrupt, { once: true });
    child.once("error", (error: NodeJS.ErrnoException) => {
      const what = error.code === "ENOENT" ? `${program} is not on PATH.` : `${program} can't be run: ${error.message}`;
      reject(new CommandFailure(EXIT.usage, what));
    });
    child.once("close", (status) => {
      stop.removeEventListener("abort", interrupt);
      resolve(status ?? EXIT.failed);
    });
  });
}

/**
 * Looks whether the commands can be run at all, before anything is stopped.
 * @throws CommandFailure if they can't
 */
export async function requireStackCommands(commands: StackCommands): Promise<void> {
  const [program = ""] = commands.up.words;
  const works = await new Promise<boolean>((resolve) => {
    const child = spawn(program, ["--version"], { stdio: "ignore" });
    child.once("error", () => resolve(false));
    child.once("close", (status) => resolve(status === 0));
  });
  if (works) return;
  throw new CommandFailure(
    EXIT.usage,
    `${program} is not on PATH, and it changes the settings and releases the app.`,
    "nothing was moved; the app runs as before.",
    "install it; or the same command with --no-up, which shows what to change where `up` runs",
  );
}
