import type { AlterSeqStmt, Node } from "libpg-query";
import { perhaps, relationName } from "../schema/expectation";
import type { Schema } from "../schema/schema";
import { keyOf, nameOf, nameText } from "../sql/identifier";
import type { Drops, Family } from "./family";
import { defines } from "./replay-rules";
import { type Before, notInHistory, perhapsBefore, type Undo } from "./undo";

/** Statements about sequences. */
export const sequences: Family<"CreateSeqStmt" | "AlterSeqStmt"> = {
  CreateSeqStmt: {
    opinion: "harmless",
    kind: () => "CREATE SEQUENCE",
    apply({ sequence, options }, schema, migration) {
      if (!sequence) return;
      schema.made.set(keyOf(nameOf(sequence)), migration);
      schema.definitions?.set({ kind: "sequence", key: keyOf(nameOf(sequence)) });
      recordOptions(keyOf(nameOf(sequence)), options, schema);
    },
    expect: ({ sequence, if_not_exists }, schema) =>
      sequence ? [perhaps(`sequence ${relationName(sequence, schema)}`, if_not_exists)] : [],
    replay: defines,
    undo({ sequence, if_not_exists }, { schema }) {
      if (!sequence) return [];
      const of = { kind: "sequence", key: keyOf(nameOf(sequence)) } as const;
      if (if_not_exists && schema.definitions?.has(of)) return [];
      const sql = [`DROP SEQUENCE ${nameText(nameOf(sequence))}`];
      return [{ of, sql, drops: true, after: true, ...(if_not_exists && { note: perhapsBefore }) }];
    },
  },
  AlterSeqStmt: {
    opinion: "judged",
    kind: () => "ALTER SEQUENCE",
    replay: defines,
    apply({ sequence, options }, schema) {
      if (sequence) recordOptions(keyOf(nameOf(sequence)), options, schema);
    },
    undo: earlierOptions,
  },
};

/** Records the options of a sequence, so that a later ALTER SEQUENCE can be taken back. */
function recordOptions(key: string, options: readonly Node[] = [], schema: Schema): void {
  for (const item of options)
    if ("DefElem" in item)
      schema.definitions?.set({ kind: "sequence option of", key, part: item.DefElem.defname ?? "" }, item);
}

/** The options of a new sequence, as SQL. Those that are missing here depend on its type. */
const defaults: Readonly<Record<string, string>> = {
  increment: "INCREMENT 1",
  minvalue: "NO MINVALUE",
  maxvalue: "NO MAXVALUE",
  cache: "CACHE 1",
  cycle: "NO CYCLE",
  owned_by: "OWNED BY NONE",
};

function earlierOptions({ sequence, options = [] }: AlterSeqStmt, { schema, write }: Before): Undo[] {
  if (!sequence) return [];
  const key = keyOf(nameOf(sequence));
  const known = schema.definitions?.has({ kind: "sequence", key }) === true;
  const head = `ALTER SEQUENCE ${nameText(nameOf(sequence))}`;
  return options.flatMap((item): Undo[] => {
    const name = "DefElem" in item ? (item.DefElem.defname ?? "") : "";
    const of = { kind: "sequence option of", key, part: name } as const;
    if (name === "restart") return [{ of, never: "the value at which it stood is not kept" }];
    const before = schema.definitions?.get(of);
    const text = before ? optionText(before.node, write) : known ? defaults[name] : undefined;
    return text === undefined ? [{ of, never: notInHistory }] : [{ of, sql: [`${head} ${text}`] }];
  });
}

function optionText(node: Node | undefined, write: Before["write"]): string | undefined {
  if (!node || !("DefElem" in node)) return undefined;
  const text = write({ AlterSeqStmt: { sequence: { relname: "s", inh: true, relpersistence: "p" }, options: [node] } });
  return text?.replace(/^ALTER SEQUENCE s\s+/, "");
}

/** The rules for DROP SEQUENCE. */
export const sequenceDrops: Drops<"OBJECT_SEQUENCE"> = {
  OBJECT_SEQUENCE: {
    opinion: "judged",
    entry: "sequence",
    undo: (name) => [
      { of: { kind: "sequence", key: keyOf(name) }, never: "the value at which it stood is gone with it" },
    ],
  },
};
