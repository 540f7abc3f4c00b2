import type { DefElem, Node } from "libpg-query";

/** A constant as the parser has it: an integer or boolean that isn't there is 0 or false. */
interface Constant {
  ival?: { ival?: number };
  fval?: { fval?: string };
  boolval?: { boolval?: boolean };
  sval?: { sval?: string };
}

/** The text of a string constant. */
export function textOf(node: Node | undefined): string | undefined {
  if (!node) return undefined;
  if ("TypeCast" in node) return textOf(node.TypeCast.arg);
  return "A_Const" in node ? (node.A_Const as Constant).sval?.sval : undefined;
}

/** The value of an integer constant; as an option (`RESTART WITH 5`) or in an expression. */
export function integerOf(node: Node | undefined): number | undefined {
  if (!node) return undefined;
  if ("Integer" in node) return node.Integer.ival ?? 0;
  if ("Float" in node) return Number(node.Float.fval);
  if (!("A_Const" in node)) return undefined;
  const { ival, fval } = node.A_Const as Constant;
  return ival ? (ival.ival ?? 0) : fval ? Number(fval.fval) : undefined;
}

/** The value of TRUE and FALSE. */
export function booleanOf(node: Node | undefined): boolean | undefined {
  if (node && "Boolean" in node) return node.Boolean.boolval === true;
  if (!node || !("A_Const" in node)) return undefined;
  const { boolval } = node.A_Const as Constant;
  return boolval && boolval.boolval === true;
}

/** An option by its name, from a list of them. */
export function optionOf(options: Node | readonly Node[] | undefined, name: string): DefElem | undefined {
  const items = Array.isArray(options)
    ? (options as Node[])
    : options && "List" in options
      ? (options.List.items ?? [])
      : [];
  for (const item of items) if ("DefElem" in item && item.DefElem.defname === name) return item.DefElem;
  return undefined;
}
