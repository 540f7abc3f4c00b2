import { oneLine, printable } from "./printable";

/** Invisible, and without a width: what is joined by it is no mention, link or reference, and looks as before. */
const JOINER = "\u2060";

/** Signs that are, or may begin, markup: HTML, emphasis, code, links, tables, headings, formulas, strike-through. */
const MARKUP = /[&<>`*[\]\\|~#$@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g;

/** What a forge turns into a link or sign by itself: addresses, `#12`, `GH-12`, `:sign:`; `@name` in {@link htmlText}. */
const LINKED = /(:)(?=\/\/)|(www)(?=\.)|(GH-)(?=\d)|(:)(?=\w+:)/gi;

/** What begins a list, a heading or a rule where it stands first in a line. */
const BLOCK = /^(?:([-+=])|(\d{1,9})([.)]))/;

/**
 * Text that may hold anything, as one line inside an HTML element of a Markdown page: nothing in it is markup, and nobody
 * is mentioned.
 */
export function htmlText(text: string): string {
  return inline(text.replace(/\s+/g, " ").trim()).replace(BLOCK, (_, sign?: string, digits = "", end = "") =>
    sign === undefined ? `${digits}${entity(end)}` : entity(sign),
  );
}

/** The same in a paragraph, list or table of a Markdown page. */
export function markdownText(text: string): string {
  return htmlText(text).replaceAll("&#124;", "\\|");
}

/** A name or command as code, on one line. */
export function markdownCode(text: string): string {
  const line = oneLine(text.replace(/\s+/g, " ").trim());
  return /[`|\\<>&]|@(?!sha256:)/.test(line) || line === "" ? htmlCode([line]) : `\`${line}\``;
}

/** Code that may be broken between its parts, so that a table isn't wider than the page. */
export function htmlCode(parts: readonly string[]): string {
  return `<code>${parts.map(inline).join("<wbr>")}</code>`;
}

/** Lines as a block of code, whose fence is longer than any that they hold. */
export function markdownBlock(text: string, language = ""): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language}`, ...printable(text).split("\n"), fence];
}

/** Also inside `<code>`, which is but an element: what stands in it is read as Markdown. */
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
