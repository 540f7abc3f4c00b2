import type { Migration } from "../../migrations/history/history";
import type { PrismaFile } from "../../migrations/revert/prisma-schema";
import { comparePrisma } from "../compare";
import type { Database, DatabaseTable } from "../database";
import type { Datamodel, Model, Place } from "../datamodel";
import type { Comparison, Difference } from "../difference";
import { expectedDatabase } from "../expected";
import { keyIn } from "../expected-columns";
import { followHistory } from "../followed-history";
import { madeDatabase } from "../made-database";
import { PrismaSyntaxError, parsePrisma } from "../parse";
import { withArgument } from "./attribute-text";
import { enumBlock, enumValue, modelBlock } from "./blocks";
import { withDefaultSql } from "./default-sql";
import { type SchemaChange, SchemaEdits } from "./edits";
import { changedField, newField } from "./fields";
import { changedKey, keyLine } from "./keys";
import { modelOf } from "./names";
import { ACTIONS, fieldBack, relationOf } from "./relations";

/** What is to be changed in a Prisma schema so that it fits new migrations. */
export interface SchemaChanges {
  readonly lines: readonly SchemaChange[];
  /** What else the migrations change, as clauses: what no line can be written for, and what Prisma has no word for. */
  readonly others: readonly string[];
}

/**
 * Finds the lines of a Prisma schema that new migrations ask for: what the comparison of the schema with the history
 * finds with them, and doesn't find without. The SQL parser must be loaded.
 * @param external the tables and enums that Prisma doesn't migrate
 * @returns the reason instead, if the schema can't be read
 */
export function schemaChanges(
  files: readonly PrismaFile[],
  history: readonly Migration[],
  added: readonly Migration[],
  external: readonly string[] = [],
): SchemaChanges | { readonly unread: string } {
  try {
    const datamodel = parsePrisma(files);
    const [before, after] = [history, [...history, ...added]].map((each) => comparePrisma(datamodel, each, external));
    const { schema } = followHistory([...history, ...added]);
    const made = withDefaultSql(madeDatabase(schema), schema);
    return new Changes(files, datamodel, made).of(news(before!, after!));
  } catch (error) {
    if (!(error instanceof PrismaSyntaxError)) throw error;
    return { unread: error.message };
  }
}

/** Returns what only the second comparison finds. */
function news(before: Comparison, after: Comparison): Comparison {
  const only = <Each extends { place?: Place }>(known: readonly Each[], all: readonly Each[]) => {
    const text = ({ place: _, ...each }: Each) => JSON.stringify(each);
    const texts = new Set(known.map(text));
    return all.filter((each) => !texts.has(text(each)));
  };
  return {
    differences: only(before.differences, after.differences),
    uncompared: only(before.uncompared, after.uncompared),
  };
}

const ORDER: readonly Difference["object"][] = ["enum", "enum value", "table", "column", "foreign key", "index"];

/** Makes the changes of one schema. */
class Changes {
  readonly #edits: SchemaEdits;
  readonly #others: string[] = [];
  /** The lines of the new models by the keys of their tables. */
  readonly #blocks = new Map<string, string[]>();
  readonly #expected: Database;

  constructor(
    readonly files: readonly PrismaFile[],
    readonly datamodel: Datamodel,
    readonly made: Database,
  ) {
    this.#edits = new SchemaEdits(files);
    this.#expected = expectedDatabase(datamodel);
  }

  of({ differences, uncompared }: Comparison): SchemaChanges {
    const sorted = [...differences].sort((a, b) => ORDER.indexOf(a.object) - ORDER.indexOf(b.object));
    const datamodel = this.#withNewBlocks(sorted);
    for (const difference of sorted) {
      const { kind, object, whole, part, history } = difference;
      const done = this.#change(difference, datamodel);
      if (!done)
        this.#others.push(`${object} ${part === undefined ? whole : `${whole}.${part}`} (${kind}): ${history}`);
    }
    const { path } = this.datamodel.models[0]?.place ?? this.files[0] ?? { path: "" };
    for (const lines of this.#blocks.values()) this.#edits.addToEnd(path, "", ...lines);
    const apart = uncompared.map(({ what, why }) => `${what}: ${why}`);
    return { lines: this.#edits.changes(), others: [...this.#others, ...apart] };
  }

  /** Writes the new enums and models, and returns the schema as it is with them. */
  #withNewBlocks(differences: readonly Difference[]): Datamodel {
    const isNew = ({ kind }: Difference) => kind === "not-in-schema";
    const read = () => {
      const text = [...this.#blocks.values()].map((lines) => lines.join("\n")).join("\n");
      return parsePrisma([...this.files, { path: "", text }]);
    };
    for (const each of differences.filter((each) => isNew(each) && each.object === "enum"))
      this.#blocks.set(each.whole, enumBlock(this.made.enums.get(each.whole)!, this.datamodel));
    const withEnums = read();
    for (const { whole } of differences.filter((each) => isNew(each) && each.object === "table")) {
      const table = this.made.tables.get(whole)!;
      this.#blocks.set(whole, modelBlock(table, withEnums));
      this.#addKeys(table);
    }
    return read();
  }

  #addKeys({ key, indexes }: DatabaseTable): void {
    for (const index of indexes)
      if (index.apart === undefined) this.#blocks.get(key)!.splice(-1, 0, keyLine(index, key));
  }

  /** Makes one change, and returns whether it could. */
  #change(difference: Difference, datamodel: Datamodel): boolean {
    switch (difference.object) {
      case "enum":
        return difference.kind === "not-in-schema" || this.#remove(difference.place);
      case "enum value":
        return this.#changeValue(difference);
      case "table":
        return this.#changeTable(difference, datamodel);
      case "column":
        return this.#changeColumn(difference, datamodel);
      case "foreign key":
        return this.#changeKey(difference, datamodel);
      case "index":
        return this.#changeIndex(difference);
    }
  }

  #remove(place: Place | undefined): boolean {
    if (place) this.#edits.remove(place);
    return place !== undefined;
  }

  #changeValue({ kind, whole, part = "", place }: Difference): boolean {
    if (kind === "not-in-history") return this.#remove(place);
    const own = this.datamodel.enums.find((each) => keyIn(each) === whole);
    const last = own?.values.at(-1);
    if (last) this.#edits.add(last.place, enumValue(part));
    return last !== undefined;
  }

  #changeTable({ kind, whole }: Difference, datamodel: Datamodel): boolean {
    const model = modelOf(whole, datamodel);
    if (!model) return false;
    if (kind === "not-in-schema")
      return this.made.tables.get(whole)!.foreignKeys.every((key) => this.#addRelation(whole, key.name, datamodel));
    this.#edits.remove(model.place);
    for (const { fields } of datamodel.models)
      for (const { type, place } of fields) if (type === model.name) this.#edits.remove(place);
    return true;
  }

  #changeColumn({ kind, whole, part = "", place }: Difference, datamodel: Datamodel): boolean {
    if (kind === "not-in-history") return this.#remove(place);
    const [model, made] = [modelOf(whole, this.datamodel), this.made.tables.get(whole)?.columns.get(part)];
    if (!model || !made) return false;
    if (kind === "not-in-schema") {
      this.#addField(model, newField(made, datamodel));
      return true;
    }
    const expected = this.#expected.tables.get(whole)?.columns.get(part);
    const line = place && this.#edits.line(place);
    const changed = expected && line !== undefined ? changedField(line, expected, made, datamodel) : undefined;
    if (place && changed !== undefined) this.#edits.change(place, changed);
    return changed !== undefined;
  }

  #addField({ fields, place }: Model, line: string): void {
    this.#edits.add(fields.at(-1)?.place ?? place, line);
  }

  #addRelation(whole: string, name: string, datamodel: Datamodel): boolean {
    const table = this.made.tables.get(whole);
    const key = table?.foreignKeys.find((each) => each.name === name);
    const relation = table && key && relationOf(key, table, datamodel);
    if (!relation) return false;
    for (const { model, line } of [relation.own, relation.other]) {
      const block = this.#blocks.get(keyIn(model));
      if (block) block.splice(firstAttribute(block), 0, line);
      else this.#addField(model, line);
    }
    return true;
  }

  #changeKey({ kind, whole, part = "", place, history }: Difference, datamodel: Datamodel): boolean {
    if (kind === "not-in-schema") return this.#addRelation(whole, part, datamodel);
    if (!place) return false;
    if (kind === "not-in-history") return this.#removeRelation(whole, place);
    const line = this.#edits.line(place);
    const made = this.made.tables.get(whole)?.foreignKeys.find(({ name }) => name === part || name === history);
    if (line === undefined || !made) return false;
    const changed =
      kind === "named-differently"
        ? withArgument(line, "relation", "map", JSON.stringify(history))
        : withArgument(
            withArgument(line, "relation", "onDelete", ACTIONS[made.onDelete]!) ?? "",
            ...(["relation", "onUpdate", ACTIONS[made.onUpdate]!] as const),
          );
    if (changed !== undefined) this.#edits.change(place, changed);
    return changed !== undefined;
  }

  /** Removes the field of a relation, and the one in the other model that leads back. */
  #removeRelation(whole: string, place: Place): boolean {
    const back = fieldBack(modelOf(whole, this.datamodel), place, this.datamodel);
    if (back) this.#edits.remove(back.place);
    return this.#remove(place);
  }

  #changeIndex(difference: Difference): boolean {
    const { kind, whole, part = "", place, history } = difference;
    const model = modelOf(whole, this.datamodel);
    const expected = this.#expected.tables.get(whole)?.indexes.find(({ name }) => name === part);
    const name = kind === "named-differently" ? history : part;
    const made = this.made.tables
      .get(whole)
      ?.indexes.find((each) => each.name === name || (each.kind === "primary" && expected?.kind === "primary"));
    if (!model) return false;
    if (!expected || !place) {
      if (made) this.#addAttribute(model, keyLine(made, whole, model));
      return made !== undefined;
    }
    const line = this.#edits.line(place);
    const change = line === undefined ? undefined : changedKey(line, difference, { expected, made, model });
    if (!change) return false;
    if (change.added !== undefined) this.#addAttribute(model, change.added);
    if (change.line === undefined) return this.#remove(place);
    this.#edits.change(place, change.line);
    return true;
  }

  #addAttribute({ fields, attributes, place }: Model, line: string): void {
    const places = [...fields, ...attributes].map((each) => each.place).sort((a, b) => a.line - b.line);
    this.#edits.add(places.at(-1) ?? place, line);
  }
}

function firstAttribute(block: readonly string[]): number {
  const at = block.findIndex((line) => line.startsWith("@@"));
  return at < 0 ? block.length - 1 : at;
}
