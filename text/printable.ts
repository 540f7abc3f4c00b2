/**
 * Control characters, and characters that are invisible or change the direction of writing. Control characters can
 * change what a terminal does, and the others can mislead a reader.
 */
const UNSEEN =
  /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Texts that a CI runner executes as a command when they are logged: `::set-env …` at the beginning of a line, possibly
 * after white space (GitHub), and `##[…]` and `##vso[…]` anywhere in a line (an older form of GitHub's, and Azure).
 */
const RUNNER_COMMAND = /^(\s*):(?=:)|##(?=\[|vso\[)/giu;

/**
 * Any text, such as a name from a database or a server's message, as one line for people. Line ends and other control
 * characters except tabs are shown as escapes, and the result contains no command for a CI runner.
 */
export function oneLine(text: string): string {
  return withoutRunnerCommands(text.replace(UNSEEN, escaped));
}

/** The same as {@link oneLine} for a text of several lines, whose line ends stay. */
export function printable(text: string): string {
  return text.split(/\r?\n/).map(oneLine).join("\n");
}

/** A value as JSON on one line, which contains no command for a CI runner. Parsing it returns the same value. */
export function jsonLine(value: unknown): string {
  return inert(JSON.stringify(value));
}

/** The same as {@link jsonLine}, but indented over several lines. */
export function jsonLines(value: unknown): string {
  return JSON.stringify(value, null, 2).split("\n").map(inert).join("\n");
}

function inert(json: string): string {
  return json.replace(UNSEEN, unicodeEscape).replaceAll("##", "#\\u0023");
}

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r" };

function escaped(sign: string): string {
  return SHORT[sign] ?? `\\u{${sign.codePointAt(0)!.toString(16)}}`;
}

/** Escapes a character as JSON does, by its UTF-16 units. */
function unicodeEscape(sign: string): string {
  return sign
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

function withoutRunnerCommands(text: string): string {
  return text.replace(RUNNER_COMMAND, (found, space: string | undefined) =>
    found.startsWith("##") ? "## " : `${space ?? ""}: `,
  );
}
