import type { Node } from "libpg-query";
import { partsOf } from "../sql/identifier";
import { walk } from "../sql/references";

/** The schema under which temporary tables are entered: their names hide those of tables that stay. */
export const temporarySchema = "pg_temp";

/** A relation in the grammar's tree, wherever it stands. */
interface Relation {
  readonly relname: string;
  readonly schemaname?: string;
  readonly relpersistence?: string;
}

/**
 * Gives names of temporary tables their schema, from the statement that makes one to the one that drops it: what is done to them is
 * done to no table of the same name that stays.
 * @returns a function that is given the statements of one migration in their order, and returns each with its names
 */
export function temporaryNames(): (node: Node) => Node {
  const names = new Set<string>();
  return (node) => {
    const made = relationMade(node);
    if (made && isTemporary(made)) names.add(made.relname);
    if (names.size === 0) return node;
    if (
      "IndexStmt" in node &&
      node.IndexStmt.idxname !== undefined &&
      names.has(node.IndexStmt.relation?.relname ?? "")
    )
      names.add(node.IndexStmt.idxname);
    const stays = made && !isTemporary(made) ? made : undefined;
    const qualified = withSchema(node, names, stays) as Node;
    if ("RenameStmt" in node && node.RenameStmt.subname === undefined) {
      const { relation, newname = "" } = node.RenameStmt;
      if (relation?.schemaname === undefined && names.delete(relation?.relname ?? "")) names.add(newname);
    }
    return "DropStmt" in qualified ? dropped(qualified, names) : qualified;
  };
}

/** Whether a statement makes a temporary table, view or sequence. */
export function makesTemporary(node: Node): boolean {
  const made = relationMade(node);
  return made !== undefined && isTemporary(made);
}

/** Whether a statement names something temporary that one before it has made; see {@link temporaryNames}. */
export function namesTemporary(node: Node): boolean {
  let found = false;
  walk(node, (_, child) => {
    if (isRelation(child) && isTemporary(child)) found = true;
  });
  return found;
}

function isTemporary({ schemaname = "", relpersistence }: Relation): boolean {
  return relpersistence === "t" || schemaname.startsWith(temporarySchema);
}

function isRelation(value: unknown): value is Relation {
  return typeof value === "object" && value !== null && "relname" in value && typeof value.relname === "string";
}

function relationMade(node: Node): Relation | undefined {
  const relation =
    "CreateStmt" in node
      ? node.CreateStmt.relation
      : "CreateTableAsStmt" in node
        ? node.CreateTableAsStmt.into?.rel
        : "SelectStmt" in node
          ? node.SelectStmt.intoClause?.rel
          : "ViewStmt" in node
            ? node.ViewStmt.view
            : "CreateSeqStmt" in node
              ? node.CreateSeqStmt.sequence
              : undefined;
  return isRelation(relation) ? relation : undefined;
}

/** A copy: plain INSERTs share their trees. */
function withSchema(value: unknown, names: ReadonlySet<string>, stays: Relation | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withSchema(item, names, stays));
  if (typeof value !== "object" || value === null || value === stays) return value;
  if (isRelation(value))
    return value.schemaname === undefined && names.has(value.relname)
      ? { ...value, schemaname: temporarySchema }
      : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSchema(item, names, stays)]));
}

function dropped(node: Extract<Node, { DropStmt: unknown }>, names: Set<string>): Node {
  if (!/^OBJECT_(TABLE|VIEW|SEQUENCE|INDEX)$/.test(node.DropStmt.removeType ?? "")) return node;
  const objects = (node.DropStmt.objects ?? []).map((object) => {
    const parts = partsOf(object);
    const plain = parts.length === 1 && names.has(parts[0]!);
    if (plain || parts[0]?.startsWith(temporarySchema)) names.delete(parts.at(-1)!);
    if (!plain || !("List" in object)) return object;
    return { List: { items: [{ String: { sval: temporarySchema } }, ...(object.List.items ?? [])] } };
  });
  return { DropStmt: { ...node.DropStmt, objects } };
}
