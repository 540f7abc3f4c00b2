import type { AlterTableCmd, Node } from "libpg-query";
import { identifier, keyOf, type Name, nameOf, partsOf } from "../../migrations/sql/identifier";
import { onTable } from "../../migrations/statements/policies";
import type { FindingClass } from "../../settings/finding-classes";
import type { Severity } from "../finding";
import { type Context, type JudgedStatement, tableText, target } from "./context";

/** What keeps watch over a table's rows (policies, triggers, rules) and is made, changed, dropped or turned off. */
export function judgeGuards(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("DropStmt" in node) dropped(statement, node.DropStmt, context);
  else if ("CreatePolicyStmt" in node && node.CreatePolicyStmt.table && !node.CreatePolicyStmt.permissive) {
    const { policy_name = "", table } = node.CreatePolicyStmt;
    policy(statement, context, nameOf(table), policy_name, "adds the restrictive policy", "warning");
  } else if ("AlterPolicyStmt" in node && node.AlterPolicyStmt.table)
    policy(
      statement,
      context,
      nameOf(node.AlterPolicyStmt.table),
      node.AlterPolicyStmt.policy_name ?? "",
      "changes the policy",
      "warning",
    );
  else if ("RuleStmt" in node && node.RuleStmt.relation) {
    const name = nameOf(node.RuleStmt.relation);
    if (!context.isNew(name))
      report(statement, context, {
        rule: "not-judged",
        classes: ["unknown"],
        about: `line ${statement.line}`,
        what: `It lets statements on ${tableText(name)} do something ${node.RuleStmt.instead ? "else" : "more"} than what they say.`,
        who: "Pods of the old version and of the new one, which are told nothing of it; whoever reviews it: read it.",
        howLong: "as long as the rule is there",
      });
  } else if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
    const name = nameOf(node.AlterTableStmt.relation);
    if (context.isNew(name)) return;
    for (const item of node.AlterTableStmt.cmds ?? [])
      if ("AlterTableCmd" in item) command(statement, item.AlterTableCmd, name, context);
  }
}

/** What this statement makes or turns on again, as {@link guardKey}: dropped or turned off before, it is only exchanged. */
export function guardsMade(node: Node): string[] {
  if ("CreatePolicyStmt" in node && node.CreatePolicyStmt.table)
    return [guardKey("policy", nameOf(node.CreatePolicyStmt.table), node.CreatePolicyStmt.policy_name)];
  if ("CreateTrigStmt" in node && node.CreateTrigStmt.relation)
    return [guardKey("trigger", nameOf(node.CreateTrigStmt.relation), node.CreateTrigStmt.trigname)];
  if ("RuleStmt" in node && node.RuleStmt.relation)
    return [guardKey("rule", nameOf(node.RuleStmt.relation), node.RuleStmt.rulename)];
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const name = nameOf(node.AlterTableStmt.relation);
  return (node.AlterTableStmt.cmds ?? []).flatMap((item) => {
    const { subtype = "", name: guard = "" } = "AlterTableCmd" in item ? item.AlterTableCmd : {};
    return /^AT_Enable(Always)?(Trig|Rule)/.test(subtype) ? [guardKey("enabled", name, guard)] : [];
  });
}

function guardKey(kind: string, table: Name, name = ""): string {
  return `${kind} ${target(table, name)}`;
}

const guards: Record<string, string> = { OBJECT_POLICY: "policy", OBJECT_TRIGGER: "trigger", OBJECT_RULE: "rule" };

function dropped(
  statement: JudgedStatement,
  { removeType, objects, missing_ok }: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  context: Context,
): void {
  const kind = guards[removeType ?? ""];
  if (kind === undefined) return;
  for (const object of objects ?? []) {
    const name = onTable(object);
    const guard = partsOf(object).at(-1) ?? "";
    const table = context.table(name);
    const remade = context.guardsMade.has(guardKey(kind, name, guard));
    if (kind === "policy") {
      if (missing_ok && table?.known && !table.policies.has(guard)) continue;
      const last = table?.known && !remade && table.policies.size === 1;
      policy(
        statement,
        context,
        name,
        guard,
        remade ? "exchanges the policy" : last ? "drops the only policy" : "drops the policy",
        remade ? "info" : "warning",
      );
    } else if (!context.isNew(name) && !remade)
      report(statement, context, {
        rule: `drop-${kind}`,
        about: target(name, guard),
        what: `It drops the ${kind} ${identifier(guard)} of ${tableText(name)}: what it did at each change no longer happens.`,
        who: "Whoever relies on it.",
        howLong: "until it is made again",
        severity: "info",
      });
  }
}

function policy(
  statement: JudgedStatement,
  context: Context,
  table: Name,
  name: string,
  what: string,
  severity: Severity,
): void {
  const known = context.table(table);
  // A policy means nothing where row level security is off.
  if (context.isNew(table) || context.plan.contract || (known?.known && !known.rowSecurity)) return;
  report(statement, context, {
    rule: "row-security",
    classes: ["incompatible"],
    about: target(table, name),
    what: `It ${what} ${identifier(name)} of ${tableText(table)}, which decides whose sessions see and change which rows.`,
    who: "Pods, of the old version and of the new one, may no longer see their rows, or see those of others.",
    howLong: "until the policy is put right",
    severity,
  });
}

function command(statement: JudgedStatement, cmd: AlterTableCmd, name: Name, context: Context): void {
  const { subtype = "", name: guard = "", def } = cmd;
  const table = context.table(name);
  if (subtype === "AT_DisableRowSecurity" || subtype === "AT_NoForceRowSecurity") {
    if (table?.known && !table.rowSecurity) return;
    const whose = subtype === "AT_DisableRowSecurity" ? "every role that may read it sees" : "its owner sees";
    report(statement, context, {
      rule: "row-security",
      about: target(name),
      what: `It turns off row level security for ${tableText(name)}: ${whose} all its rows.`,
      who: "Whoever relies on the policies that kept rows apart.",
      howLong: "until it is turned on again",
    });
  } else if (/^AT_(Disable|EnableReplica)(Trig|Rule)/.test(subtype)) {
    const all = guard === "";
    const kind = /Rule$/.test(subtype) ? "rule" : "trigger";
    const again =
      context.guardsMade.has(guardKey("enabled", name, guard)) || context.guardsMade.has(guardKey("enabled", name));
    const keys = subtype === "AT_DisableTrigAll" ? ", foreign keys included" : "";
    report(statement, context, {
      rule: "drop-constraint",
      about: target(name, all ? "" : guard).replace(/\.$/, ""),
      what: `It turns off ${all ? `the triggers of ${tableText(name)}${keys}` : `the ${kind} ${identifier(guard)} of ${tableText(name)}`}: rows that break what it guards can come in${again ? " until this migration turns it on again" : ""}.`,
      who: "Whoever relies on it.",
      howLong: again ? "until the migration is complete" : "until it is turned on again, which checks no row",
      severity: again ? "info" : "warning",
    });
  } else if (subtype === "AT_AlterConstraint" && def && "ATAlterConstraint" in def) {
    const { conname = "", alterEnforceability, is_enforced } = def.ATAlterConstraint;
    if (!alterEnforceability || is_enforced) return;
    report(statement, context, {
      rule: "drop-constraint",
      about: target(name, conname),
      what: `It no longer enforces the constraint ${identifier(conname)} of ${tableText(name)}, so rows that break it can come in.`,
      who: "Whoever relies on it.",
      howLong: "until it is enforced again, for which the rows must be clean",
      severity: "info",
    });
  } else if (subtype === "AT_ReplicaIdentity" && def && "ReplicaIdentityStmt" in def) {
    if (def.ReplicaIdentityStmt.identity_type !== "n") return;
    report(statement, context, {
      rule: "replica-identity",
      classes: ["incompatible"],
      about: target(name),
      what: `It takes the replica identity of ${tableText(name)} away.`,
      who: "UPDATE and DELETE of it fail, in the app too, if a publication has the table.",
      howLong: "until it is given back",
    });
  } else if (subtype === "AT_DetachPartition" && def && "PartitionCmd" in def && def.PartitionCmd.name) {
    const partition = nameOf(def.PartitionCmd.name);
    if (context.isNew(partition)) return;
    report(statement, context, {
      rule: "detach-partition",
      classes: ["incompatible"],
      about: keyOf(partition),
      what: `It takes the partition ${tableText(partition)} out of ${tableText(name)}, whose queries no longer find its rows.`,
      who: "Everybody who reads them by the partitioned table, and whoever writes rows that belong there.",
      howLong: "until it is attached again",
    });
  }
}

interface GuardDraft {
  readonly rule: string;
  /** Default: destructive. */
  readonly classes?: readonly FindingClass[];
  readonly about: string;
  readonly what: string;
  readonly who: string;
  readonly howLong: string;
  /** Default: warning. */
  readonly severity?: Severity;
}

function report(statement: JudgedStatement, context: Context, { about, ...draft }: GuardDraft): void {
  context.report({ classes: ["destructive"], severity: "warning", ...draft, target: about }, statement);
}
