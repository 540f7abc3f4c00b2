import type { PrismaFile } from "../../migrations/revert/prisma-schema";
import type { Place } from "../datamodel";
import { isWholeLine } from "./attribute-text";

/** A line of a Prisma schema that is to be changed, removed, or added below another one. */
export interface SchemaChange extends Place {
  readonly change: "change to" | "remove" | "add below";
  /** The new text, or that of the removed line, without its indentation. */
  readonly text: string;
}

/** Collects changes of the lines of a Prisma schema. Several changes of one line become one. */
export class SchemaEdits {
  readonly #files: ReadonlyMap<string, readonly string[]>;
  /** The new texts of lines by their places; undefined: the line is removed. */
  readonly #changed = new Map<string, { place: Place; text: string | undefined }>();
  readonly #added: SchemaChange[] = [];

  constructor(files: readonly PrismaFile[]) {
    this.#files = new Map(files.map(({ path, text }) => [path, text.split(/\r?\n/)]));
  }

  /** Returns the text of a line; undefined if the statement that begins there goes on in the next one. */
  line(place: Place): string | undefined {
    const known = this.#changed.get(keyOf(place));
    const text = known ? (known.text ?? "") : this.#textAt(place.path, place.line);
    return isWholeLine(text) ? text : undefined;
  }

  /** Gives a line a new text. A line that is removed stays so. */
  change(place: Place, text: string): void {
    if (this.#changed.get(keyOf(place))?.text === undefined && this.#changed.has(keyOf(place))) return;
    this.#changed.set(keyOf(place), { place, text });
  }

  /** Removes the statement or the block that begins at a line, with all its lines. */
  remove(place: Place): void {
    for (let line = place.line; line <= this.#endOf(place); line++)
      this.#changed.set(keyOf({ ...place, line }), { place: { ...place, line }, text: undefined });
  }

  /** Adds lines below a statement. */
  add(place: Place, ...texts: string[]): void {
    const below = { path: place.path, line: this.#endOf(place) };
    this.#added.push(...texts.map((text): SchemaChange => ({ ...below, change: "add below", text })));
  }

  /** Adds lines below the last line of a file. */
  addToEnd(path: string, ...texts: string[]): void {
    const line = (this.#files.get(path) ?? []).findLastIndex((text) => text.trim() !== "") + 1;
    this.#added.push(...texts.map((text): SchemaChange => ({ path, line, change: "add below", text })));
  }

  /** Returns the changes in the order of their lines. */
  changes(): SchemaChange[] {
    const changed = [...this.#changed.values()].map(({ place, text }): SchemaChange => {
      const { path, line } = place;
      if (text === undefined) return { path, line, change: "remove", text: this.#textAt(path, line).trim() };
      return { path, line, change: "change to", text: text.trim() };
    });
    return [...changed, ...this.#added].sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
  }

  #textAt(path: string, line: number): string {
    return this.#files.get(path)?.[line - 1] ?? "";
  }

  /** Returns the last line of the statement, model or enum that begins at a line. */
  #endOf({ path, line }: Place): number {
    const lines = this.#files.get(path) ?? [];
    if (/^\s*(model|enum)\b/.test(lines[line - 1] ?? "")) {
      const end = lines.findIndex((text, index) => index >= line && /^\s*\}/.test(text));
      return end < 0 ? line : end + 1;
    }
    for (let end = line; end <= lines.length; end++) if (isWholeLine(lines.slice(line - 1, end).join(" "))) return end;
    return line;
  }
}

function keyOf({ path, line }: Place): string {
  return `${path}:${line}`;
}
