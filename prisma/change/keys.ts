import { nameOfKey } from "../../migrations/schema/schema-object";
import type { DatabaseIndex } from "../database";
import type { Model } from "../datamodel";
import type { Difference } from "../difference";
import { conventionalName } from "../names";
import { withArgument, withoutAttribute } from "./attribute-text";
import { fieldOf } from "./names";

const WORDS = {
  primary: { attribute: "id", suffix: "pkey" },
  unique: { attribute: "unique", suffix: "key" },
  index: { attribute: "index", suffix: "idx" },
} as const;

const METHODS: Readonly<Record<string, string>> = {
  hash: "Hash",
  gist: "Gist",
  gin: "Gin",
  spgist: "SpGist",
  brin: "Brin",
};

/** Returns the line of a model for an index or a key: `@@index([email], map: "user_email_idx")`. */
export function keyLine(
  { name, kind, columns, method, elements }: DatabaseIndex,
  table: string,
  model?: Model,
): string {
  const { attribute, suffix } = WORDS[kind];
  const parts = columns.map((column, at) => {
    const { descending = false, operatorClass } = elements[at] ?? {};
    const options = [
      ...(operatorClass === undefined ? [] : [`ops: raw(${JSON.stringify(operatorClass)})`]),
      ...(descending ? ["sort: Desc"] : []),
    ];
    return `${fieldOf(column, model)}${options.length > 0 ? `(${options.join(", ")})` : ""}`;
  });
  const type = METHODS[method];
  return `@@${attribute}(${[
    `[${parts.join(", ")}]`,
    ...(type === undefined ? [] : [`type: ${type}`]),
    ...mapOf(name, conventionalName(nameOfKey(table).name, columns, suffix)),
  ].join(", ")})`;
}

/** Returns the argument that gives an object a name, if it is not the one that Prisma gives it by itself. */
export function mapOf(name: string, conventional: string): string[] {
  return name === conventional ? [] : [`map: ${JSON.stringify(name)}`];
}

/** What becomes of a line that has an index or a key. */
interface KeyChange {
  /** Its new text; undefined: it is removed. */
  readonly line: string | undefined;
  /** A line that the model gets besides. */
  readonly added?: string | undefined;
}

/**
 * Changes the line of an index or a key as the difference says.
 * @returns undefined if the line doesn't have the attribute
 */
export function changedKey(
  line: string,
  { kind, whole, history }: Difference,
  { expected, made, model }: { expected: DatabaseIndex; made: DatabaseIndex | undefined; model: Model },
): KeyChange | undefined {
  const { attribute } = WORDS[expected.kind];
  if (kind === "named-differently") {
    const named = withArgument(line, attribute, "map", JSON.stringify(history));
    return named === undefined ? undefined : { line: named };
  }
  const now = kind === "differs" && made ? keyLine(made, whole, model) : undefined;
  if (line.trimStart().startsWith("@@")) return { line: now };
  return { line: withoutAttribute(line, attribute), added: now };
}
