import { objectText, type SchemaObject } from "../schema/schema-object";
import { keyOf } from "../sql/identifier";
import type { Step } from "./effects";

/** A file of a Prisma schema. */
export interface PrismaFile {
  /** The path as a person would type it. */
  readonly path: string;
  readonly text: string;
}

/** A line of a Prisma schema that doesn't fit any more when a migration is taken back. */
interface PrismaLine {
  readonly path: string;
  /** The line in the file, counted from 1. */
  readonly line: number;
  /** The model with its field, or the enum: `Note.colour`. */
  readonly name: string;
  readonly text: string;
  readonly change: "remove" | "change back";
}

/** The lines of a schema to change, and the objects of which no line was found. */
export interface PrismaChanges {
  readonly lines: readonly PrismaLine[];
  /** What has to be changed back where no line was found: `column notes.colour`. */
  readonly others: readonly string[];
}

interface Line {
  readonly file: PrismaFile;
  readonly number: number;
  readonly text: string;
}

/** A model, view or enum. */
interface Block {
  readonly keyword: string;
  readonly name: string;
  /** The key of the table or type. */
  readonly key: string;
  readonly head: Line;
  readonly body: readonly Line[];
}

/** Finds the lines of a Prisma schema that have to be changed back too, by the names of tables, columns and types. */
export function prismaChanges(steps: readonly Step[], files: readonly PrismaFile[]): PrismaChanges {
  const blocks = files.flatMap(blocksOf);
  const lines = new Map<string, PrismaLine>();
  const others = new Set<string>();
  for (const { undo } of steps) {
    const change = undo.drops ? "remove" : "change back";
    const found = find(undo.of, undo.columns ?? [], blocks);
    for (const { block, line } of found)
      lines.set(`${line.file.path}:${line.number}`, {
        path: line.file.path,
        line: line.number,
        name: nameOf(block, line),
        text: line.text.trim(),
        change: line === block.head && !isWhole(undo.of) ? "change back" : change,
      });
    if (found.length === 0 && isInPrisma(undo.of)) others.add(objectText(undo.of));
  }
  return {
    lines: [...lines.values()].sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line),
    others: [...others],
  };
}

function blocksOf(file: PrismaFile): Block[] {
  const lines = file.text.split("\n").map((text, index): Line => ({ file, number: index + 1, text }));
  const blocks: Block[] = [];
  for (const [index, head] of lines.entries()) {
    const [, keyword, name] = /^\s*(model|view|enum)\s+(\w+)\s*\{/.exec(head.text) ?? [];
    if (keyword === undefined || name === undefined) continue;
    const length = lines.slice(index + 1).findIndex(({ text }) => /^\s*\}/.test(text));
    const body = lines
      .slice(index + 1, length < 0 ? undefined : index + 1 + length)
      .filter(({ text }) => !/^\s*(\/\/|$)/.test(text));
    const attribute = (of: string) =>
      body
        .map(({ text }) => new RegExp(`^\\s*@@${of}\\(\\s*(?:name:\\s*)?"([^"]*)"`).exec(text)?.[1])
        .find((found) => found !== undefined);
    const schema = attribute("schema");
    blocks.push({
      keyword,
      name,
      key: keyOf({ ...(schema !== undefined && { schema }), name: attribute("map") ?? name }),
      head,
      body,
    });
  }
  return blocks;
}

interface Found {
  readonly block: Block;
  readonly line: Line;
}

function find(of: SchemaObject, columns: readonly string[], blocks: readonly Block[]): Found[] {
  const models = blocks.filter(({ keyword }) => keyword !== "enum");
  const whole = (keyword: RegExp) => blocks.find((block) => keyword.test(block.keyword) && block.key === of.key);
  switch (of.kind) {
    case "table":
    case "view": {
      const block = whole(/model|view/);
      return block ? [{ block, line: block.head }, ...fieldsOfType(block.name, models)] : [];
    }
    case "type": {
      const block = whole(/enum/);
      return block ? [{ block, line: block.head }, ...fieldsOfType(block.name, models)] : [];
    }
    case "column":
    case "type of":
    case "NOT NULL of":
    case "default of": {
      const block = whole(/model|view/);
      return block ? fieldsOf(block, of.part ?? "", of.kind === "column") : [];
    }
    case "constraint":
      return keysOf(
        models.filter(({ key }) => key === of.key),
        of.part ?? "",
        columns,
      );
    case "index":
      return keysOf(models, of.key.split(".").at(-1) ?? "", columns);
    default:
      return [];
  }
}

/** The fields of other models that have a model or an enum as their type. */
function fieldsOfType(type: string, models: readonly Block[]): Found[] {
  return models.flatMap((block) =>
    block.body.flatMap((line) =>
      new RegExp(`^\\s*\\w+\\s+${type}\\b`).test(line.text) && block.name !== type ? { block, line } : [],
    ),
  );
}

/** The field of a column, and the relations that are made of it if the column goes. */
function fieldsOf(block: Block, column: string, goes: boolean): Found[] {
  const field = block.body.find((line) => columnOf(line) === column);
  const name = field && /\w+/.exec(field.text)?.[0];
  if (!field || name === undefined) return [];
  const relations = block.body.filter((line) => goes && namesIn(/\bfields:\s*\[([^\]]*)\]/, line).includes(name));
  return [field, ...relations].map((line) => ({ block, line }));
}

/** The column of a field; undefined for relations and attributes of the whole block. */
function columnOf({ text }: Line): string | undefined {
  const [, name] = /^\s*(\w+)\s+\S/.exec(text) ?? [];
  if (name === undefined || /@relation\b/.test(text)) return undefined;
  return /(?<!@)@map\(\s*(?:name:\s*)?"([^"]*)"/.exec(text)?.[1] ?? name;
}

function namesIn(pattern: RegExp, { text }: Line): string[] {
  return (pattern.exec(text)?.[1] ?? "").split(",").map((name) => /\w+/.exec(name)?.[0] ?? "");
}

/** The lines of an index or a key, found by the name in `map`, or by the columns that it covers. */
function keysOf(models: readonly Block[], name: string, columns: readonly string[]): Found[] {
  const named = models.flatMap((block) =>
    block.body.flatMap((line) => (line.text.includes(`map: "${name}"`) ? { block, line } : [])),
  );
  if (named.length > 0 || columns.length === 0) return named;
  return models.flatMap((block) => {
    const fields = new Map(block.body.map((line) => [/\w+/.exec(line.text)?.[0], columnOf(line)]));
    return block.body.flatMap((line) => {
      const covered = namesIn(
        /^\s*@@(?:index|unique|id)\(\s*(?:fields:\s*)?\[([^\]]*(?:\([^)]*\)[^\]]*)*)\]/,
        line,
      ).map((field) => fields.get(field) ?? field);
      const alone = columns.length === 1 && columnOf(line) === columns[0] && /@(unique|id)\b/.test(line.text);
      const standard = `${block.key}_${columns.join("_")}`;
      const same = covered.join() === columns.join() || alone;
      return same && (name.startsWith(standard) || name === `${block.key}_pkey`) ? { block, line } : [];
    });
  });
}

function nameOf(block: Block, line: Line): string {
  const field = line === block.head ? undefined : /^\s*(\w+)/.exec(line.text)?.[1];
  return field === undefined ? block.name : `${block.name}.${field}`;
}

function isWhole({ kind }: SchemaObject): boolean {
  return kind === "table" || kind === "view" || kind === "type";
}

/** Whether Prisma's language has a word for such an object. */
function isInPrisma({ kind }: SchemaObject): boolean {
  return /^(table|column|constraint|index|type|type of|NOT NULL of|default of)$/.test(kind);
}
