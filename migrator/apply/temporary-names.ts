import { partsOf } from "../../migrations/sql/identifier";
import type { RangeVar } from "./left-behind";

// biome-ignore lint/suspicious/noExplicitAny: the grammar's nodes, of which only a few fields are looked at
type Nodes = any;

/**
 * The temporary tables, views, indexes and sequences of a session. Their names hide those of the schema, and they are gone with the session,
 * so that nothing that is done to them is found in the catalog later.
 */
export class TemporaryNames {
  /** With each name, whether it is gone at the end of the transaction. */
  readonly #names: Map<string, boolean>;

  constructor(names: Iterable<[string, boolean]> = []) {
    this.#names = new Map(names);
  }

  copy(): TemporaryNames {
    return new TemporaryNames(this.#names);
  }

  /** Forgets what is made ON COMMIT DROP. */
  commit(): void {
    for (const [name, drops] of this.#names) if (drops) this.#names.delete(name);
  }

  /**
   * True for a statement that makes, changes or drops something temporary, and nothing else.
   * @param read names of the tables that it reads
   */
  takes(node: Nodes, read: readonly string[]): boolean {
    const made = madeBy(node);
    if (made && (this.#has(made.relation) || (node.ViewStmt && read.some((name) => this.#names.has(name))))) {
      this.#names.set(made.relation.relname, made.dropsOnCommit);
      return true;
    }
    if (made) return false;
    const changed = changedBy(node);
    if (changed && this.#has(changed)) {
      const drops = this.#names.get(changed.relname) ?? false;
      if (node.IndexStmt?.idxname) this.#names.set(node.IndexStmt.idxname, drops);
      if (node.RenameStmt && node.RenameStmt.subname === undefined) this.#names.set(node.RenameStmt.newname, drops);
      return true;
    }
    if (!node.DropStmt) return false;
    const dropped: string[][] = (node.DropStmt.objects ?? []).map((object: Nodes) => partsOf(object));
    const isTemporary = (parts: readonly string[]) =>
      this.#has({ relname: parts.at(-1) ?? "", ...(parts.length > 1 ? { schemaname: parts.at(-2)! } : {}) });
    const table = /TRIGGER|POLICY|RULE/.test(node.DropStmt.removeType) ? -1 : undefined;
    const names = dropped.map((parts) => parts.slice(0, table));
    if (names.length === 0 || !names.every(isTemporary)) return false;
    if (table === undefined) for (const parts of names) this.#names.delete(parts.at(-1)!);
    return true;
  }

  #has({ schemaname, relname, relpersistence }: RangeVar & { relpersistence?: string }): boolean {
    if (relpersistence === "t") return true;
    return schemaname === undefined ? this.#names.has(relname) : /^pg_temp/.test(schemaname);
  }
}

/** What CREATE makes, whose own words say whether it is temporary. */
function madeBy(node: Nodes): { relation: RangeVar; dropsOnCommit: boolean } | undefined {
  const into = node.CreateTableAsStmt?.into ?? node.SelectStmt?.intoClause;
  const relation =
    node.CreateStmt?.relation ?? into?.rel ?? node.ViewStmt?.view ?? node.CreateSeqStmt?.sequence ?? undefined;
  const permanent = relation?.relpersistence !== "t" && relation?.schemaname === undefined;
  if (!relation) return undefined;
  // A table that is not temporary is made in the schema, whatever is temporary under its name.
  const made = permanent ? { ...relation, schemaname: "" } : relation;
  return { relation: made, dropsOnCommit: (node.CreateStmt?.oncommit ?? into?.onCommit) === "ONCOMMIT_DROP" };
}

function changedBy(node: Nodes): RangeVar | undefined {
  return (
    node.IndexStmt?.relation ??
    node.AlterTableStmt?.relation ??
    node.RenameStmt?.relation ??
    node.CreateTrigStmt?.relation ??
    node.AlterSeqStmt?.sequence ??
    node.AlterObjectSchemaStmt?.relation
  );
}
