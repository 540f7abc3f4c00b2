/** The labels behind which a command that ended well names the one after it. */
const FOLLOWING = ["Next", "To do it", "To move the app to it"] as const;

/**
 * A label behind which a message names the next command: the way back of a failed rollout, the next step of a failed Job,
 * and what the local command line adds. `status` shows the next command without a colon.
 */
export type Label =
  | "To go back to the backup"
  | "To go back"
  | "Once fixed, run"
  | "To go on"
  | "next"
  | (typeof FOLLOWING)[number];

/**
 * Returns the commands that a message names behind a label, in their order, each as it stands there.
 *
 * @param output What a command has printed. Only the last line with the label counts.
 */
export function commandsBehind(output: string, label: Label): string[] {
  const line = output
    .split("\n")
    .map((each) => lineOf(each, label))
    .findLast((text) => text !== undefined);
  return line === undefined
    ? []
    : (line.match(/npm run [^;]+?(?=$|; |, then| \(|`)/g) ?? []).map((each) => each.trim());
}

function lineOf(line: string, label: Label): string | undefined {
  const text = line.replace(/^[\si!✗]+/, "");
  if (label === "next") return /^next {2,}(.*)/.exec(text)?.[1];
  const at = text.indexOf(`${label}: `);
  return at < 0 ? undefined : text.slice(at + label.length + 2);
}

/**
 * Returns the commands that bring a failed release back, as its message names them: those of its "Next" first, then the
 * command that it calls "the same command again".
 */
export function commandsOf(output: string, label: Label): string[] {
  const named = commandsBehind(output, label);
  return label === "Next" ? [...named, ...commandsBehind(output, "Once fixed, run").slice(-1)] : named;
}

/** Returns the commands that are to be typed after one that ended well, as it names them. */
export function commandsAfter(output: string): string[] {
  return FOLLOWING.flatMap((label) => commandsBehind(output, label).slice(0, 1));
}
