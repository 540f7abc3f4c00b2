import type { Node, RangeVar } from "libpg-query";
import { partsOf } from "../sql/identifier";

/** The schema under which temporary relations are recorded. Their names hide those of permanent relations. */
export const temporarySchema = "pg_temp";

/**
 * Adds the temporary schema to the names of temporary tables, views, indexes and sequences, from the
 * statement that makes one to the one that drops it. What a statement does to a temporary relation then
 * doesn't affect a permanent one of the same name.
 */
export class TemporaryNames {
  /** The key is the name; the value is whether the relation is dropped at the end of the transaction. */
  readonly #names: Map<string, boolean>;

  constructor(names: Iterable<[string, boolean]> = []) {
    this.#names = new Map(names);
  }

  copy(): TemporaryNames {
    return new TemporaryNames(this.#names);
  }

  /** Removes the relations that are made with ON COMMIT DROP. */
  commit(): void {
    for (const [name, drops] of this.#names) if (drops) this.#names.delete(name);
  }

  /**
   * Returns the next statement with qualified names. If any of them is temporary, the result is a
   * copy, because plain INSERTs share their trees.
   */
  qualify(node: Node): Node {
    const made = relationMade(node);
    const temporary =
      made && (isTemporary(made) || ("ViewStmt" in node && namesTemporary(this.#qualified(node, made))));
    if (temporary) this.#names.set(made.relname ?? "", dropsOnCommit(node));
    if (this.#names.size === 0) return node;
    if ("IndexStmt" in node && node.IndexStmt.idxname !== undefined) {
      const drops = this.#names.get(node.IndexStmt.relation?.relname ?? "");
      if (drops !== undefined) this.#names.set(node.IndexStmt.idxname, drops);
    }
    const qualified = this.#qualified(node, temporary ? undefined : made) as Node;
    if ("RenameStmt" in node && node.RenameStmt.subname === undefined) {
      const { relation, newname = "" } = node.RenameStmt;
      const drops = this.#names.get(relation?.relname ?? "");
      if (drops !== undefined && relation?.schemaname === undefined && this.#names.delete(relation?.relname ?? ""))
        this.#names.set(newname, drops);
    }
    return "DropStmt" in qualified ? this.#dropped(qualified) : qualified;
  }

  /**
   * @param stays a permanent relation that the statement makes; it isn't qualified, even if a temporary one has its
   * name
   */
  #qualified(value: unknown, stays: RangeVar | undefined): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#qualified(item, stays));
    if (typeof value !== "object" || value === null || value === stays) return value;
    if (isRelation(value))
      return value.schemaname === undefined && this.#names.has(value.relname)
        ? { ...value, schemaname: temporarySchema }
        : value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#qualified(item, stays)]));
  }

  #dropped(node: Extract<Node, { DropStmt: unknown }>): Node {
    const { removeType = "" } = node.DropStmt;
    const inTable = /^OBJECT_(TRIGGER|POLICY|RULE)$/.test(removeType);
    if (!inTable && !/^OBJECT_(TABLE|VIEW|SEQUENCE|INDEX)$/.test(removeType)) return node;
    const objects = (node.DropStmt.objects ?? []).map((object) => {
      const parts = partsOf(object).slice(0, inTable ? -1 : undefined);
      const plain = parts.length === 1 && this.#names.has(parts[0]!);
      if (!inTable && (plain || parts[0]?.startsWith(temporarySchema))) this.#names.delete(parts.at(-1)!);
      if (!plain || !("List" in object)) return object;
      return { List: { items: [{ String: { sval: temporarySchema } }, ...(object.List.items ?? [])] } };
    });
    return { DropStmt: { ...node.DropStmt, objects } };
  }
}

/**
 * Whether a statement, as {@link TemporaryNames.qualify} returns it, makes, changes or drops only temporary relations.
 */
export function isOnTemporary(node: Node): boolean {
  if ("DropStmt" in node) {
    const names = (node.DropStmt.objects ?? []).map(partsOf);
    return (
      names.length > 0 && names.every(([schema, ...rest]) => rest.length > 0 && isTemporary({ schemaname: schema! }))
    );
  }
  const relation = relationMade(node) ?? relationChanged(node);
  return relation !== undefined && isTemporary(relation);
}

/** Whether a statement makes a temporary table, view or sequence. */
export function makesTemporary(node: Node): boolean {
  const made = relationMade(node);
  return made !== undefined && isTemporary(made);
}

/** Whether a statement, as {@link TemporaryNames.qualify} returns it, mentions a temporary relation. */
export function namesTemporary(tree: unknown): boolean {
  if (typeof tree !== "object" || tree === null) return false;
  return (isRelation(tree) && isTemporary(tree)) || Object.values(tree).some(namesTemporary);
}

/** Whether a relation is temporary, either because it is created as one or because of its schema. */
export function isTemporary({ schemaname = "", relpersistence }: RangeVar): boolean {
  return relpersistence === "t" || schemaname.startsWith(temporarySchema);
}

function isRelation(value: unknown): value is RangeVar & { relname: string } {
  return typeof value === "object" && value !== null && "relname" in value && typeof value.relname === "string";
}

function dropsOnCommit(node: Node): boolean {
  const action =
    "CreateStmt" in node
      ? node.CreateStmt.oncommit
      : "CreateTableAsStmt" in node
        ? node.CreateTableAsStmt.into?.onCommit
        : "SelectStmt" in node
          ? node.SelectStmt.intoClause?.onCommit
          : undefined;
  return action === "ONCOMMIT_DROP";
}

/** The table, view or sequence that a statement makes. */
export function relationMade(node: Node): RangeVar | undefined {
  if ("CreateStmt" in node) return node.CreateStmt.relation;
  if ("CreateForeignTableStmt" in node) return node.CreateForeignTableStmt.base?.relation;
  if ("CreateTableAsStmt" in node) return node.CreateTableAsStmt.into?.rel;
  if ("SelectStmt" in node) return node.SelectStmt.intoClause?.rel;
  if ("ViewStmt" in node) return node.ViewStmt.view;
  return "CreateSeqStmt" in node ? node.CreateSeqStmt.sequence : undefined;
}

function relationChanged(node: Node): RangeVar | undefined {
  if ("IndexStmt" in node) return node.IndexStmt.relation;
  if ("AlterTableStmt" in node) return node.AlterTableStmt.relation;
  if ("RenameStmt" in node) return node.RenameStmt.relation;
  if ("CreateTrigStmt" in node) return node.CreateTrigStmt.relation;
  if ("AlterSeqStmt" in node) return node.AlterSeqStmt.sequence;
  return "AlterObjectSchemaStmt" in node ? node.AlterObjectSchemaStmt.relation : undefined;
}
