/** The start and the end of an attribute in a line of a Prisma schema, with what stands in its brackets. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns a line without its attributes of this name, such as `default` for `@default(now())`, or `db.` for each native
 * type.
 */
export function withoutAttribute(line: string, name: string): string {
  const found = spanOf(line, name);
  if (!found) return line;
  return withoutAttribute(`${line.slice(0, found.start).trimEnd()}${line.slice(found.end)}`, name);
}

/** Returns a line in which an attribute has an argument of this name; undefined if it doesn't have the attribute. */
export function withArgument(line: string, name: string, key: string, value: string): string | undefined {
  const found = spanOf(line, name);
  if (!found) return undefined;
  const text = line.slice(found.start, found.end);
  const at = text.indexOf("(");
  const head = at < 0 ? text : text.slice(0, at);
  const args = at < 0 ? [] : partsOf(text.slice(at + 1, -1));
  const own = `${key}: ${value}`;
  const place = args.findIndex((each) => new RegExp(`^${key}\\s*:`).test(each));
  const changed = place < 0 ? [...args, own] : args.with(place, own);
  return `${line.slice(0, found.start)}${head}(${changed.join(", ")})${line.slice(found.end)}`;
}

/** Whether every bracket and string that a line opens is closed in it. */
export function isWholeLine(line: string): boolean {
  return depthAt(line, line.length) === 0;
}

function spanOf(line: string, name: string): Span | undefined {
  const start = new RegExp(`@{1,2}${name.replaceAll(".", "\\.")}${name.endsWith(".") ? "\\w+" : "(?![\\w.])"}`).exec(
    line,
  );
  if (!start || depthAt(line, start.index) > 0) return undefined;
  let end = start.index + start[0].length;
  if (line[end] === "(")
    do end++;
    while (end < line.length && depthAt(line, end) > 0);
  return { start: start.index, end };
}

/** The number of brackets that are open at a place, outside of strings. */
function depthAt(line: string, place: number): number {
  const text = line
    .slice(0, place)
    .replace(/"(?:\\.|[^"\\])*"/g, "")
    .replace(/\/\/.*$/, "");
  return (text.match(/[([]/g)?.length ?? 0) - (text.match(/[)\]]/g)?.length ?? 0);
}

/** Splits what stands in brackets at its commas. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++)
    if (at === text.length || (text[at] === "," && depthAt(text, at) === 0 && !isInString(text, at))) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  return parts.filter((part) => part !== "");
}

function isInString(text: string, place: number): boolean {
  return (text.slice(0, place).replace(/\\./g, "").match(/"/g)?.length ?? 0) % 2 === 1;
}
