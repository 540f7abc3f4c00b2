import { partsOf } from "../../migrations/sql/identifier";
import { onTable } from "../../migrations/statements/policies";
import { code, named, target } from "../names";
import { guardKey } from "../prepare/guards";
import { defineRule } from "./rule";

const kinds: Record<string, "trigger" | "rule"> = { OBJECT_TRIGGER: "trigger", OBJECT_RULE: "rule" };

/** This rule reports DROP TRIGGER and DROP RULE. */
export const dropGuard = defineRule({
  finds: {
    "drop-trigger": {
      classes: ["destructive"],
      bad: "DROP TRIGGER users_touch ON users;",
      good: "-- Create the one that takes its place in the same migration.",
    },
    "drop-rule": {
      classes: ["destructive"],
      bad: "DROP RULE log_deletes ON posts;",
      good: "-- Create the one that takes its place in the same migration.",
    },
  },
  statement({ node }, facts) {
    if (!("DropStmt" in node)) return [];
    const kind = kinds[node.DropStmt.removeType ?? ""];
    return (kind ? (node.DropStmt.objects ?? []) : []).flatMap((object) => {
      const name = onTable(object);
      const guard = partsOf(object).at(-1) ?? "";
      if (!kind || facts.isNew(name) || facts.prepared.guardsMade.has(guardKey(kind, name, guard))) return [];
      return [
        {
          rule: `drop-${kind}` as const,
          severity: "info" as const,
          target: target(name, guard),
          what: `Drops ${kind} ${code(guard)} of ${named(name)}: what it did at each change no longer happens.`,
          who: "All code that relies on it.",
          howLong: "Until it is created again",
        },
      ];
    });
  },
});
