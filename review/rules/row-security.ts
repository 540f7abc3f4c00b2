import type { Node } from "libpg-query";
import { type Name, nameOf, partsOf } from "../../migrations/sql/identifier";
import { onTable } from "../../migrations/statements/policies";
import type { Facts, JudgedStatement } from "../facts";
import type { Severity } from "../finding";
import { code, named, target } from "../names";
import { alterations, type Command } from "../prepare/commands";
import { guardKey } from "../prepare/guards";
import { type Draft, defineRule } from "./rule";
import { rollout } from "./words";

type Found = Draft<"row-security">;

/**
 * This rule reports row level security that is turned on or off, and policies that are made, changed or dropped.
 */
export const rowSecurity = defineRule({
  finds: {
    "row-security": {
      classes: ["destructive", "incompatible"],
      bad: "ALTER TABLE posts DISABLE ROW LEVEL SECURITY;",
      good: "-- Change the policies instead, in one migration: DROP POLICY …; CREATE POLICY …;",
    },
  },
  statement(statement, facts) {
    return [
      ...alterations(statement, facts).flatMap((command) => switched(command, facts)),
      ...policies(statement, facts),
    ];
  },
});

function switched({ cmd: { subtype }, table: name }: Command, facts: Facts): Found[] {
  const table = facts.table(name);
  const base = { rule: "row-security", severity: "warning", target: target(name) } as const;
  if ((subtype === "AT_EnableRowSecurity" || subtype === "AT_ForceRowSecurity") && !facts.plan.contract)
    return [
      {
        ...base,
        classes: ["incompatible"],
        what: `Turns on row level security for ${named(name)}.`,
        who: "Pods of the old version see only the rows that a policy shows them.",
        howLong: rollout,
      },
    ];
  const off = subtype === "AT_DisableRowSecurity";
  if (!(off || subtype === "AT_NoForceRowSecurity") || (table?.known && !table.rowSecurity)) return [];
  return [
    {
      ...base,
      classes: ["destructive"],
      what: `Turns off row level security for ${named(name)}: ${off ? "every role that may read it" : "its owner"} sees all its rows.`,
      who: "All code that relies on the policies.",
      howLong: "Until it is turned on again",
    },
  ];
}

function policies({ node }: JudgedStatement, facts: Facts): Found[] {
  if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_POLICY") return dropped(node.DropStmt, facts);
  if ("CreatePolicyStmt" in node && node.CreatePolicyStmt.table && !node.CreatePolicyStmt.permissive) {
    const { policy_name = "", table } = node.CreatePolicyStmt;
    return policy(nameOf(table), policy_name, "Adds restrictive policy", "warning", facts);
  }
  if (!("AlterPolicyStmt" in node) || !node.AlterPolicyStmt.table) return [];
  const { policy_name = "", table } = node.AlterPolicyStmt;
  return policy(nameOf(table), policy_name, "Changes policy", "warning", facts);
}

function dropped({ objects, missing_ok }: Extract<Node, { DropStmt: unknown }>["DropStmt"], facts: Facts): Found[] {
  return (objects ?? []).flatMap((object) => {
    const name = onTable(object);
    const label = partsOf(object).at(-1) ?? "";
    const table = facts.table(name);
    if (missing_ok && table?.known && !table.policies.has(label)) return [];
    if (facts.prepared.guardsMade.has(guardKey("policy", name, label)))
      return policy(name, label, "Replaces policy", "info", facts);
    const last = table?.known && table.policies.size === 1;
    return policy(name, label, last ? "Drops the only policy" : "Drops policy", "warning", facts);
  });
}

function policy(table: Name, label: string, what: string, severity: Severity, facts: Facts): Found[] {
  const known = facts.table(table);
  // A policy has no effect if row level security is off.
  if (facts.isNew(table) || facts.plan.contract || (known?.known && !known.rowSecurity)) return [];
  return [
    {
      rule: "row-security",
      classes: ["incompatible"],
      severity,
      target: target(table, label),
      what: `${what} ${code(label)} of ${named(table)}, which decides whose sessions see and change which rows.`,
      who: "Pods of the old and of the new version may no longer see their rows, or see those of others.",
      howLong: "Until the policy is corrected",
    },
  ];
}
