import { perhaps, relationName } from "../schema/expectation";
import { keyOf, nameOf } from "../sql/identifier";
import type { Drops, Family } from "./family";
import { defines } from "./replay-rules";

/** Statements about sequences. */
export const sequences: Family<"CreateSeqStmt" | "AlterSeqStmt"> = {
  CreateSeqStmt: {
    opinion: "harmless",
    kind: () => "CREATE SEQUENCE",
    apply({ sequence }, schema, migration) {
      if (sequence) schema.made.set(keyOf(nameOf(sequence)), migration);
    },
    expect: ({ sequence, if_not_exists }, schema) =>
      sequence ? [perhaps(`sequence ${relationName(sequence, schema)}`, if_not_exists)] : [],
    replay: defines,
  },
  AlterSeqStmt: { opinion: "judged", kind: () => "ALTER SEQUENCE", replay: defines },
};

/** The rules for DROP SEQUENCE. */
export const sequenceDrops: Drops<"OBJECT_SEQUENCE"> = {
  OBJECT_SEQUENCE: { opinion: "judged", entry: "sequence" },
};
