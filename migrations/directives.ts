/** An instruction to the release in a comment of a migration: `-- release: contract`. */
export interface Directive {
  /** The first word after `release:`, in lower case. */
  readonly name: string;
  /** What follows on the line, without white space around it. */
  readonly text: string;
  /** Line of the comment in the file, from 1. */
  readonly line: number;
}

/**
 * The directives in a stretch of comments and white space: one a line, `-- release: NAME …`, alone on its line.
 * @param line of the stretch's first character, from 1
 */
export function directivesIn(comments: string, line: number): Directive[] {
  if (!/release:/i.test(comments)) return [];
  const found: Directive[] = [];
  for (const [index, text] of withoutBlocks(comments).split("\n").entries()) {
    const match = /^\s*--\s*release:\s*([a-z][a-z-]*)\b[ \t]*(.*?)\s*$/i.exec(text);
    if (match) found.push({ name: match[1]!.toLowerCase(), text: match[2]!, line: line + index });
  }
  return found;
}

/** Block comments blanked, so that a directive that was commented out stays out; line ends are kept for the counting. */
function withoutBlocks(comments: string): string {
  const mark = /--[^\n]*|\/\*|\*\//g;
  let depth = 0;
  let start = 0;
  let result = "";
  let at = 0;
  for (let found = mark.exec(comments); found; found = mark.exec(comments)) {
    if (found[0] === "/*" && depth++ === 0) {
      result += comments.slice(at, found.index);
      start = found.index;
    } else if (found[0] === "*/" && depth > 0 && --depth === 0) {
      at = mark.lastIndex;
      result += comments.slice(start, at).replace(/[^\n]/g, " ");
    } else if (depth > 0 && found[0].startsWith("--")) mark.lastIndex = found.index + 2; // no line comment inside a block
  }
  return depth > 0 ? result : result + comments.slice(at);
}
