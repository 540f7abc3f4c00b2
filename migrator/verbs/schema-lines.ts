import type { Migration } from "../../migrations/history/history";
import type { SchemaChange } from "../../prisma/change/edits";
import { schemaChanges } from "../../prisma/change/schema-changes";
import { findSchema, isUsual, readSchema } from "../../prisma/find-schema";

/**
 * Returns the lines that say what to change in the Prisma schema of a folder of migrations, so that it fits new ones. The
 * SQL parser must be loaded.
 * @param history the migrations of the folder without the new ones
 * @param named the path of the schema. Default: the one that belongs to the folder.
 */
export function schemaLines(
  directory: string,
  history: readonly Migration[],
  added: readonly Migration[],
  named?: string,
): string[] {
  const source = named === undefined ? findSchema(directory) : { path: named, found: isUsual(named) };
  const files = source && readSchema(source.path);
  if (!source || !files || files.length === 0)
    return [`No Prisma schema belongs to ${directory}: change yours by hand, if there is one.`];
  const found = schemaChanges(files, history, added, source.external);
  if ("unread" in found) return [`Change ${source.path} by hand: ${found.unread}.`];
  const { lines, others } = found;
  if (lines.length === 0 && others.length === 0) return [`Nothing is to be changed in ${source.path}.`];
  return [
    ...(lines.length > 0 ? [`To be changed in ${source.path}:`, ...grouped(lines).flatMap(changeLines)] : []),
    ...(others.length > 0
      ? [`Not written as lines of ${source.path}; see to it by hand:`, ...others.map((each) => `  ${each}`)]
      : []),
  ];
}

/** Puts lines together that are added at one place, and those that are removed one after the other. */
function grouped(changes: readonly SchemaChange[]): SchemaChange[][] {
  const groups: SchemaChange[][] = [];
  for (const each of changes) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const follows = { remove: 1, "add below": 0, "change to": Number.NaN }[each.change];
    if (last?.path === each.path && last.change === each.change && last.line + follows === each.line) group!.push(each);
    else groups.push([each]);
  }
  return groups;
}

function changeLines(group: readonly SchemaChange[]): string[] {
  const [{ path, line, change, text }] = group as [SchemaChange];
  if (group.length === 1) return [`  ${path}:${line}  ${change}: ${text}`];
  if (change === "remove") return [`  ${path}:${line}-${group.at(-1)!.line}  remove: ${text} …`];
  let depth = 2;
  return [
    `  ${path}:${line}  ${change}:`,
    ...group.map(({ text }) => {
      if (text === "}") depth--;
      const shown = `${"  ".repeat(depth + 1)}${text}`.trimEnd();
      if (/^(model|enum)\b.*\{$/.test(text)) depth++;
      return shown;
    }),
  ];
}
