import { columns } from "../../local/commands/output";
import type { Played } from "./play";

const HEAD = ["failure", "a person first", "typed, as the message says", "seconds to green"];

/** Returns the table of what was played. */
export function table(played: readonly Played[]): string[] {
  const rows = played.map(({ name, first = "", commands, seconds, problem }) => [
    name,
    first,
    commands.map(short).join(" → "),
    problem === undefined ? seconds.toFixed(1) : `RED: ${problem.split("\n")[0]}`,
  ]);
  return columns([HEAD, ...rows]);
}

/** Returns a command without the options that lead to the drill's own stack and settings. */
export function short(command: string): string {
  return command.replace(/ --(config|state-dir) ('([^']|'\\'')*'|\S+)/g, "").replace(/^npm run local -- /, "");
}
