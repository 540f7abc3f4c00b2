import type { Node, TypeName } from "libpg-query";
import type { Routine, Trigger } from "../schema/objects";
import type { Schema } from "../schema/schema";
import { keyOf, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { walk } from "../sql/references";
import { tokensOf } from "../sql/tokens";

/** Enters functions, procedures and triggers into the schema. */
export function applyRoutine(node: Node, schema: Schema): void {
  if ("CreateFunctionStmt" in node) {
    const { funcname, replace } = node.CreateFunctionStmt;
    const key = keyOf(nameOfParts(funcname));
    const before = replace ? undefined : schema.routines.get(key);
    const made = routineOf(node.CreateFunctionStmt);
    schema.routines.set(key, before ? both(before, made) : made);
  } else if ("AlterFunctionStmt" in node) {
    const key = keyOf(nameOfParts(node.AlterFunctionStmt.func?.objname));
    const before = schema.routines.get(key);
    const volatility = option(node.AlterFunctionStmt.actions, "volatility");
    if (before && volatility) schema.routines.set(key, { ...before, volatility: volatilityOf(volatility) });
  } else if ("CreateTrigStmt" in node && node.CreateTrigStmt.relation) {
    const { relation, trigname = "", funcname, row, events = 0 } = node.CreateTrigStmt;
    const table = keyOf(nameOf(relation));
    const trigger: Trigger = {
      name: trigname,
      table,
      routine: keyOf(nameOfParts(funcname)),
      row: row === true,
      events: eventBits.filter(([bit]) => (events & bit) !== 0).map(([, event]) => event),
    };
    schema.triggers.set(`${table} ${trigname}`, trigger);
  } else if (
    "RenameStmt" in node &&
    ["OBJECT_FUNCTION", "OBJECT_PROCEDURE"].includes(node.RenameStmt.renameType ?? "")
  ) {
    const from = nameOfParts(node.RenameStmt.object);
    const routine = schema.routines.get(keyOf(from));
    if (!routine) return;
    const to = keyOf({ ...from, name: node.RenameStmt.newname ?? "" });
    schema.routines.delete(keyOf(from));
    schema.routines.set(to, routine);
    for (const trigger of schema.triggers.values()) if (trigger.routine === keyOf(from)) trigger.routine = to;
  }
}

export function dropRoutine(type: string | undefined, object: Node, schema: Schema): void {
  if (type === "OBJECT_FUNCTION" || type === "OBJECT_PROCEDURE" || type === "OBJECT_ROUTINE")
    schema.routines.delete(keyOf(nameOfParts(object)));
  if (type !== "OBJECT_TRIGGER" || !("List" in object)) return;
  const parts = object.List.items ?? [];
  const table = keyOf(nameOfParts(parts.slice(0, -1)));
  for (const [key, trigger] of schema.triggers)
    if (trigger.table === table && trigger.name === partsOf(parts.slice(-1))[0]) schema.triggers.delete(key);
}

/** Source: PostgreSQL, trigger.h (TRIGGER_TYPE_INSERT and the like). */
const eventBits: readonly [number, Trigger["events"][number]][] = [
  [4, "insert"],
  [8, "delete"],
  [16, "update"],
  [32, "truncate"],
];

function routineOf(node: CreateFunction): Routine {
  const language = (option(node.options, "language") ?? "sql").toLowerCase();
  const body = option(node.options, "as");
  return {
    volatility: volatilityOf(option(node.options, "volatility")),
    mentions: mentionsOf(language, body, node.sql_body),
    overloads: 1,
    ...signatureOf(node),
  };
}

/** What CREATE OR REPLACE can't change: what is returned, and the names of parameters of the same types. */
export function signatureOf({ parameters = [], returnType }: CreateFunction): Pick<Routine, "returns" | "parameters"> {
  const all = parameters.flatMap((item) => ("FunctionParameter" in item ? [item.FunctionParameter] : []));
  const type = (each: { argType?: TypeName }) => partsOf(each.argType?.names).join(".");
  const out = all.filter(({ mode }) => /OUT|TABLE/.test(mode ?? ""));
  const names = partsOf(returnType?.names).join(".");
  return {
    returns: JSON.stringify([
      returnType?.setof === true,
      names,
      returnType?.arrayBounds?.length ?? 0,
      out.map((each) => [each.name, type(each)]),
    ]),
    parameters: JSON.stringify(
      all.filter(({ mode }) => !/_OUT|TABLE/.test(mode ?? "")).map((each) => [each.name ?? "", type(each)]),
    ),
  };
}

type CreateFunction = Extract<Node, { CreateFunctionStmt: unknown }>["CreateFunctionStmt"];

function mentionsOf(language: string, body: string | undefined, parsed: Node | undefined): Set<string> | undefined {
  const names = new Set<string>();
  if (parsed)
    walk(parsed, (key, child) => {
      if (key === "RangeVar") names.add(keyOf(nameOf(child as Parameters<typeof nameOf>[0])));
      if (key === "FuncCall") names.add(keyOf(nameOfParts((child as { funcname?: Node[] }).funcname)));
    });
  if (parsed || body === undefined) return parsed ? names : undefined;
  if (language !== "sql" && language !== "plpgsql") return undefined;
  const tokens = tokensOf(body);
  if (language === "plpgsql" && tokens.some(({ upper }) => upper === "EXECUTE")) return undefined;
  for (const [index, { text }] of tokens.entries()) {
    const name = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
    names.add(name);
    if (tokens[index + 1]?.text !== ".") continue;
    const next = tokens[index + 2]?.text ?? "";
    const inner = next.startsWith('"') ? next.slice(1, -1).replaceAll('""', '"') : next.toLowerCase();
    names.add(keyOf({ schema: name, name: inner }));
  }
  return names;
}

function volatilityOf(text: string | undefined): Routine["volatility"] {
  return text === "immutable" || text === "stable" ? text : "volatile";
}

/** Two functions of one name: the worse of what they are. */
function both(a: Routine, b: Routine): Routine {
  const order = ["immutable", "stable", "volatile"] as const;
  const volatility = order[Math.max(order.indexOf(a.volatility), order.indexOf(b.volatility))]!;
  return {
    ...b,
    volatility,
    overloads: a.overloads + b.overloads,
    mentions: a.mentions && b.mentions && new Set([...a.mentions, ...b.mentions]),
  };
}

function option(options: readonly Node[] | undefined, name: string): string | undefined {
  for (const item of options ?? [])
    if ("DefElem" in item && item.DefElem.defname === name) return partsOf(item.DefElem.arg).at(0);
  return undefined;
}
