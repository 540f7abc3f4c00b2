/**
 * Breaks a line at its spaces if it is longer than the width of a terminal.
 * @param indent the indent of every line but the first, which keeps its own
 * @param width the largest number of characters in a line, including the indent; default: 80
 */
export function wrapped(line: string, indent = "", width = 80): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const start = /^ */.exec(rest)?.[0].length ?? 0;
    const before = rest.lastIndexOf(" ", width);
    const at = before > start ? before : rest.indexOf(" ", start);
    if (at < 0) break;
    lines.push(rest.slice(0, at));
    rest = `${indent}${rest.slice(at + 1)}`;
  }
  return [...lines, rest];
}
