import type { DefElem, Node } from "libpg-query";

/** The text of a string constant, with or without a cast; undefined for anything else. */
export function textOf(node: Node | undefined): string | undefined {
  if (!node) return undefined;
  if ("TypeCast" in node) return textOf(node.TypeCast.arg);
  return "A_Const" in node ? node.A_Const.sval?.sval : undefined;
}

/**
 * The value of an integer constant, either as an option (`RESTART WITH 5`) or in an expression; undefined otherwise.
 */
export function integerOf(node: Node | undefined): number | undefined {
  if (!node) return undefined;
  if ("Integer" in node) return node.Integer.ival ?? 0;
  if ("Float" in node) return Number(node.Float.fval);
  if (!("A_Const" in node)) return undefined;
  const { ival, fval } = node.A_Const;
  return ival ? (ival.ival ?? 0) : fval ? Number(fval.fval) : undefined;
}

/** The value of the constants TRUE and FALSE; undefined for anything else. */
export function booleanOf(node: Node | undefined): boolean | undefined {
  if (node && "Boolean" in node) return node.Boolean.boolval === true;
  if (!node || !("A_Const" in node)) return undefined;
  const { boolval } = node.A_Const;
  return boolval && boolval.boolval === true;
}

/** The first option with this name in a list of options. */
export function optionOf(options: Node | readonly Node[] | undefined, name: string): DefElem | undefined {
  for (const item of listOf(options)) if ("DefElem" in item && item.DefElem.defname === name) return item.DefElem;
  return undefined;
}

/** The items of a list. The parser wraps some lists in a `List` node, and others not. */
export function listOf(list: Node | readonly Node[] | undefined): readonly Node[] {
  if (!list) return [];
  if (isList(list)) return list;
  return "List" in list ? (list.List.items ?? []) : [];
}

/** TypeScript's own guard (`Array.isArray`) doesn't narrow to read-only lists. */
function isList(value: Node | readonly Node[]): value is readonly Node[] {
  return Array.isArray(value);
}

/** Whether an option is present and not switched off. An option without a value is on. */
export function isOn(options: readonly Node[] | undefined, name: string): boolean {
  return optionOf(options, name) !== undefined && !isOff(options, name);
}

/** Whether an option is switched off by its value. */
export function isOff(options: readonly Node[] | undefined, name: string): boolean {
  const value = optionOf(options, name)?.arg;
  if (!value) return false;
  if ("String" in value) return ["false", "off", "0", "no"].includes(value.String.sval?.toLowerCase() ?? "");
  return ("Boolean" in value && value.Boolean.boolval !== true) || ("Integer" in value && !value.Integer.ival);
}
