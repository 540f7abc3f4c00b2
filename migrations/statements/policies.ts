import type { Node } from "libpg-query";
import { enterDependent } from "../schema/dependents";
import { usesOf } from "../schema/uses";
import { listOf } from "../sql/constant";
import { identifier, keyOf, type Name, nameOf, nameOfParts, nameText } from "../sql/identifier";
import type { Drops, Family } from "./family";
import { holds } from "./replay-rules";
import { notInHistory } from "./undo";

/** Statements about policies of row level security. */
export const policies: Family<"CreatePolicyStmt" | "AlterPolicyStmt"> = {
  CreatePolicyStmt: {
    opinion: "judged",
    lock: ({ table }, _schema, effects) => table && effects.touch(nameOf(table), "ACCESS EXCLUSIVE"),
    apply(statement, schema) {
      const { table, policy_name = "", qual, with_check } = statement;
      if (!table) return;
      const object = { kind: "policy", key: keyOf(nameOf(table)), part: policy_name } as const;
      schema.definitions?.set(object, { CreatePolicyStmt: statement });
      schema.require(nameOf(table)).policies.add(policy_name);
      const key = keyOf(nameOf(table));
      const uses = [...usesOf(qual, schema, key), ...usesOf(with_check, schema, key)];
      enterDependent(schema, "policy", key, policy_name, new Set(uses));
    },
    replay: holds,
    undo({ table, policy_name = "" }) {
      if (!table) return [];
      const of = { kind: "policy", key: keyOf(nameOf(table)), part: policy_name } as const;
      return [{ of, sql: [`DROP POLICY ${identifier(policy_name)} ON ${nameText(nameOf(table))}`], drops: true }];
    },
  },
  AlterPolicyStmt: {
    opinion: "judged",
    lock: ({ table }, _schema, effects) => table && effects.touch(nameOf(table), "ACCESS EXCLUSIVE"),
    replay: holds,
    apply({ table, policy_name = "" }, schema) {
      if (table) schema.definitions?.giveUp({ kind: "policy", key: keyOf(nameOf(table)), part: policy_name });
    },
    undo({ table, policy_name = "" }, { schema, write }) {
      if (!table) return [];
      const of = { kind: "policy", key: keyOf(nameOf(table)), part: policy_name } as const;
      const node = schema.definitions?.get(of)?.node;
      const before = node && write(node);
      if (before === undefined) return [{ of, never: notInHistory }];
      return [{ of, sql: [`DROP POLICY ${identifier(policy_name)} ON ${nameText(nameOf(table))};\n${before}`] }];
    },
  },
};

/** The rules for DROP POLICY. */
export const policyDrops: Drops<"OBJECT_POLICY"> = {
  OBJECT_POLICY: {
    opinion: "judged",
    lock: (_name, _schema, effects, _statement, object) => effects.touch(onTable(object), "ACCESS EXCLUSIVE"),
    apply({ name }, schema, _statement, object) {
      schema.table(onTable(object))?.policies.delete(name);
      schema.dependents.delete(`policy ${keyOf(onTable(object))} ${name}`);
    },
  },
};

/**
 * The table of a DROP TRIGGER or DROP POLICY. The parser represents `name ON table` as one list of
 * parts, in which the table is all but the last.
 */
export function onTable(object: Node): Name {
  return nameOfParts(listOf(object).slice(0, -1));
}
