import { oneLine, printable } from "./printable";

/**
 * A character that is invisible and has no width (U+2060, word joiner). A text in which it is inserted looks the same,
 * but is no longer a mention, a link or a reference.
 */
const JOINER = "\u2060";

/**
 * Characters that are markup, or may begin it: HTML, emphasis, code, links, tables, headings, formulas, strike-through.
 */
const MARKUP = /[&<>`*[\]\\|~#$@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g;

/**
 * Texts that a forge such as GitHub turns into links or emoji: addresses, `GH-12`, `:emoji:`.
 * The function `inline` treats `#12` and `@name`.
 */
const LINKED = /(:)(?=\/\/)|(www)(?=\.)|(GH-)(?=\d)|(:)(?=\w+:)/gi;

/** The beginning of a line that makes it a list item, a heading or a rule. */
const BLOCK = /^(?:([-+=])|(\d{1,9})([.)]))/;

/**
 * Any text as one line inside an HTML element of a Markdown page. Nothing in it
 * is treated as markup, and nobody is mentioned.
 */
export function htmlText(text: string): string {
  return inline(text.replace(/\s+/g, " ").trim()).replace(BLOCK, (_, sign?: string, digits = "", end = "") =>
    sign === undefined ? `${digits}${entity(end)}` : entity(sign),
  );
}

/** Any text as one line in a paragraph, list or table of a Markdown page; otherwise the same as {@link htmlText}. */
export function markdownText(text: string): string {
  return htmlText(text).replaceAll("&#124;", "\\|");
}

/** A name or command as code, on one line. */
export function markdownCode(text: string): string {
  const line = oneLine(text.replace(/\s+/g, " ").trim());
  return /[`|\\<>&]|@(?!sha256:)/.test(line) || line === "" ? htmlCode([line]) : `\`${line}\``;
}

/** Code that may be wrapped between its parts, so that a table doesn't become wider than the page. */
export function htmlCode(parts: readonly string[]): string {
  return `<code>${parts.map(inline).join("<wbr>")}</code>`;
}

/** Lines as a block of code. The fence is longer than any run of backticks in the lines. */
export function markdownBlock(text: string, language = ""): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language}`, ...printable(text).split("\n"), fence];
}

/**
 * Escapes one line of text. This is needed inside `<code>` too, because Markdown renderers treat that as an HTML
 * element and read its content as Markdown.
 */
function inline(text: string): string {
  return oneLine(text)
    .replace(MARKUP, (sign) => NAMED[sign] ?? entity(sign))
    .replace(/(&#64;|&#35;)(?=\w)/g, `$1${JOINER}`)
    .replace(LINKED, (found) => `${found}${JOINER}`);
}

const NAMED: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function entity(sign: string): string {
  return `&#${sign.charCodeAt(0)};`;
}
