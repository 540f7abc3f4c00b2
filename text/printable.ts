/**
 * Control characters, and the characters that turn the direction of writing or can't be seen. A terminal obeys the first,
 * and a person is misled by the others.
 */
const UNSEEN =
  /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * What a CI runner takes for a command in a log: `::set-env …` at the beginning of a line, also behind white space
 * (GitHub), and `##[…]` and `##vso[…]` anywhere in a line (GitHub's older form, Azure).
 */
const RUNNER_COMMAND = /^(\s*):(?=:)|##(?=\[|vso\[)/giu;

/**
 * One line for people, of a text that may hold anything: names from a database or a folder, what a server said. Line
 * ends and other control characters but tabs are shown as escapes, and nothing in it is a command for a CI runner.
 */
export function oneLine(text: string): string {
  return withoutRunnerCommands(text.replace(UNSEEN, escaped));
}

/** The same for a text of several lines, whose line ends stay. */
export function printable(text: string): string {
  return text.split(/\r?\n/).map(oneLine).join("\n");
}

/** JSON on one line, in which a CI runner finds no command either. It reads back as the same value. */
export function jsonLine(value: unknown): string {
  return inert(JSON.stringify(value));
}

/** The same over several lines. */
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

/** As JSON has it: by UTF-16 units. */
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
