/**
 * Breaks a line at its spaces, where it is longer than a terminal is wide.
 * @param width in characters, with the indent
 * @param indent of every line but the first, whose own indent stays
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
