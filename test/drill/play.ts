import { commandsAfter, commandsOf } from "./message";
import type { Scenario } from "./scenario";
import type { Stage } from "./stage";

/** How a failure was brought back. */
export interface Played {
  readonly name: string;
  /** What a person did before typing; undefined if the commands alone were enough. */
  readonly first: string | undefined;
  /** The commands that were typed, as the messages named them. */
  readonly commands: readonly string[];
  /** The time from the first typed command until the release was complete, in seconds. */
  readonly seconds: number;
  /** Why it is not green; undefined if it is. */
  readonly problem: string | undefined;
  /** What the failing command and the typed ones have printed. */
  readonly printed: readonly string[];
}

/** The most commands that a person may be sent through. */
const MOST_COMMANDS = 6;

/** Provokes a failure, does what the message asks for, types its command, and looks whether all is green. */
export async function play(scenario: Scenario, stage: Stage): Promise<Played> {
  const { name, first, label, says, fill = (command) => command } = scenario;
  const printed: string[] = [];
  const commands: string[] = [];
  let began = Date.now();
  const problem = await problemOf(async () => {
    const message = await scenario.provoke(stage);
    printed.push(message);
    if (!says.test(message)) return `the message doesn't say ${says}`;
    await first?.do?.(stage);
    const named = commandsOf(message, label).map((each) => fill(each, message, stage));
    if (named.length === 0) return `the message names no command behind "${label}"`;
    began = Date.now();
    return (
      (await typeAll(named, { stage, commands, printed })) ??
      (await stage.notGreen()) ??
      (await scenario.green?.(stage))
    );
  });
  return { name, first: first?.what, commands, seconds: (Date.now() - began) / 1000, problem, printed };
}

/**
 * Types the commands one after the other. One that names a further command itself, as `resolve --diagnose` does, is
 * followed by that one.
 * @returns why it stopped; undefined if all ended well
 */
async function typeAll(
  named: readonly string[],
  { stage, commands, printed }: { stage: Stage; commands: string[]; printed: string[] },
): Promise<string | undefined> {
  const waiting = [...named];
  for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
    if (commands.length === MOST_COMMANDS) return `after ${MOST_COMMANDS} commands there is still another: ${command}`;
    commands.push(command);
    const { status, text } = await stage.type(command);
    printed.push(`$ ${command}\n${text}`);
    // What only looks, such as `resolve --diagnose`, ends with another status where it has found something.
    if (status !== 0 && waiting.length === 0) return `\`${command}\` ended with ${status}`;
    waiting.unshift(...commandsAfter(text).filter((each) => !commands.includes(each) && !waiting.includes(each)));
  }
  return undefined;
}

async function problemOf(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    return (error as Error).message;
  }
}
