import type {
  AlterObjectSchemaStmt,
  AlterSeqStmt,
  AlterTableCmd,
  CreateSeqStmt,
  Node,
  RangeVar,
  RenameStmt,
  TransactionStmt,
} from "libpg-query";
import { type Expectation, partsName, relationName } from "../schema/expectation";
import { isOnTemporary, TemporaryNames } from "../schema/temporary";
import { listOf, optionOf } from "../sql/constant";
import { partsOf } from "../sql/identifier";
import { some } from "../sql/references";
import { partitionOf } from "./alter-partition";
import { ANYWHERE, forget, forgetAnywhere, isOurs, nameOf } from "./expectation-keys";
import { expectationsOf, takerOf } from "./statements";
import { mayConcern } from "./takers";

interface State {
  readonly expected: Map<string, Expectation>;
  readonly temporary: TemporaryNames;
}

/**
 * Collects what must be true of the schema after a series of statements. What a later statement drops, changes or rolls
 * back is no longer expected. What a statement may have dropped, as far as its text shows, stays in the list and is
 * marked as uncertain, with the name of that statement.
 */
export class ExpectedSchema {
  #state: State = { expected: new Map(), temporary: new TemporaryNames() };
  /** The states at BEGIN (without a name) and at each SAVEPOINT. */
  #saved: { name?: string; state: State }[] = [];
  /** Whether `search_path` was changed; from then on, a name without a schema may be in any schema. */
  #astray = false;

  constructor(readonly schema: string) {}

  /** @param where the migration that contains the statement, as text for a person */
  see(node: Node, where: string): void {
    if ("TransactionStmt" in node) this.#control(node.TransactionStmt);
    else this.#see(this.#state.temporary.qualify(node), where);
  }

  #see(node: Node, where: string): void {
    const { expected } = this.#state;
    this.#astray ||= setsPath(node);
    // Temporary objects are dropped at the end of the session, so the catalog doesn't contain them later.
    if (isOnTemporary(node)) return;
    const taker = takerOf(node);
    if (taker !== undefined)
      for (const [key, expectation] of expected)
        if (expectation.uncertain === undefined && mayConcern(taker, nameOf(key)))
          expected.set(key, { ...expectation, uncertain: `${taker.by} in ${where}` });
    if ("AlterObjectSchemaStmt" in node) this.#moved(node.AlterObjectSchemaStmt);
    if ("AlterSeqStmt" in node) this.#owned(node.AlterSeqStmt);
    const next = expectationsOf(asMade(node, expected, this.schema), this.#astray ? ANYWHERE : this.schema);
    if ("RenameStmt" in node) this.#rename(node.RenameStmt, next);
    else
      for (const each of next) this.#enter(each, "AlterTableStmt" in node && node.AlterTableStmt.missing_ok === true);
    if ("CreateSeqStmt" in node) this.#owned(node.CreateSeqStmt);
    if ("AlterTableStmt" in node && node.AlterTableStmt.relation)
      for (const item of node.AlterTableStmt.cmds ?? [])
        if ("AlterTableCmd" in item) this.#loosen(item.AlterTableCmd, node.AlterTableStmt.relation);
  }

  /** Ends a migration. Its savepoints and its open transaction don't affect the next one. */
  end(): void {
    this.#saved = [];
    this.#state.temporary.commit();
  }

  list(): Expectation[] {
    return [...this.#state.expected.values()];
  }

  /** @param lenient whether the statement has IF EXISTS, so that it may have done nothing */
  #enter(expectation: Expectation, lenient: boolean): void {
    const { expected } = this.#state;
    const { key, present } = expectation;
    if (isOurs(key)) return;
    if (key.includes(` ${ANYWHERE}.`)) {
      forgetAnywhere(expected, key);
      return;
    }
    if (!present) forget(expected, key);
    else if (expectation.anyKind && expected.get(key)?.present) return;
    // A column's first expectation is that it exists, and its second may be
    // NOT NULL. The later one includes the earlier.
    if (!lenient) expected.set(key, expectation);
    else if (expectation.definition) expected.delete(key);
  }

  #control({ kind = "TRANS_STMT_BEGIN", savepoint_name: name, chain }: TransactionStmt): void {
    const copy = () => ({ expected: new Map(this.#state.expected), temporary: this.#state.temporary.copy() });
    const named = name === undefined ? {} : { name };
    const begun = this.#saved.findIndex((each) => each.name === undefined);
    const at = this.#saved.map((each) => each.name).lastIndexOf(name);
    if (kind === "TRANS_STMT_SAVEPOINT") this.#saved.push({ ...named, state: copy() });
    else if (kind === "TRANS_STMT_RELEASE" && at >= 0) this.#saved = this.#saved.slice(0, at);
    else if (kind === "TRANS_STMT_ROLLBACK_TO" && at >= 0) {
      this.#saved = this.#saved.slice(0, at + 1);
      this.#state = this.#saved[at]!.state;
      this.#saved[at] = { ...named, state: copy() };
    } else if (/BEGIN|START/.test(kind)) {
      if (begun < 0) this.#saved.push({ state: copy() });
    } else if (/COMMIT$|ROLLBACK$|PREPARE$/.test(kind)) {
      if (kind === "TRANS_STMT_COMMIT") this.#state.temporary.commit();
      else if (begun >= 0) this.#state = this.#saved[begun]!.state;
      this.#saved = chain ? [{ state: copy() }] : [];
    }
  }

  /** Removes an object that ALTER … SET SCHEMA moved to another schema, with all its parts. */
  #moved({ relation, object }: AlterObjectSchemaStmt): void {
    const name = relation ? relationName(relation, this.schema) : partsName(object, this.schema);
    for (const kind of ["table", "view", "materialized view", "sequence", "type"])
      forget(this.#state.expected, `${kind} ${name}`);
  }

  /** Records that a sequence with OWNED BY is dropped together with its table or column. */
  #owned({ sequence, options }: CreateSeqStmt | AlterSeqStmt): void {
    const { expected } = this.#state;
    const key = sequence ? `sequence ${relationName(sequence, this.schema)}` : "";
    const expectation = expected.get(key);
    const owner = listOf(optionOf(options, "owned_by")?.arg);
    if (!expectation || owner.length === 0) return;
    const partOf = `table ${partsName(owner.slice(0, -1), this.schema)}`;
    expected.set(key, { ...expectation, partOf, columns: new Set(partsOf(owner).slice(-1)) });
  }

  #rename(node: RenameStmt, [gone, renamed]: readonly Expectation[]): void {
    if (node.renameType === "OBJECT_SCHEMA") forget(this.#state.expected, `schema ${node.subname}`);
    if (gone && renamed) this.#carry(node, gone.key, renamed);
  }

  /** Moves the expectations of an object and of its parts to the new name. */
  #carry(node: RenameStmt, old: string, renamed: Expectation): void {
    const { expected } = this.#state;
    const before = [...expected].filter(([key]) => key !== renamed.key);
    if (node.missing_ok && !expected.has(old)) {
      forget(expected, old);
      forget(expected, renamed.key);
      return;
    }
    if (old.includes(` ${ANYWHERE}.`)) {
      forgetAnywhere(expected, old);
      return;
    }
    const prefix = nameOf(old);
    const table = node.relation && node.subname === undefined && node.renameType !== "OBJECT_INDEX";
    expected.clear();
    for (const [key, expectation] of before) {
      const inside = key === old || (table && nameOf(key).startsWith(`${prefix}.`));
      const moved = inside ? key.replace(prefix, nameOf(renamed.key)) : key;
      // The parts of a materialized view also have `table` in their `partOf`.
      const part = expectation.partOf === old || (table && expectation.partOf === `table ${prefix}`);
      const partOf = part ? expectation.partOf?.replace(prefix, nameOf(renamed.key)) : expectation.partOf;
      expected.set(moved, { ...expectation, key: moved, ...(partOf === undefined ? {} : { partOf }) });
    }
    // ALTER TABLE also renames views, indexes and sequences. The actual kind of the object may be known here.
    const kinds = ["table", "view", "materialized view", "index", "sequence"];
    const other = renamed.anyKind && kinds.map((kind) => `${kind} ${prefix}`).find((key) => expected.get(key)?.present);
    if (other && other !== old) {
      this.#carry(node, other, { ...renamed, key: other.replace(prefix, nameOf(renamed.key)) });
      return;
    }
    if (!expected.has(renamed.key)) expected.set(renamed.key, renamed);
    expected.set(old, { key: old, present: false });
    if (node.renameType === "OBJECT_COLUMN")
      for (const [key, expectation] of expected)
        if (expectation.columns?.has(node.subname ?? ""))
          expected.set(key, { ...expectation, columns: new Set([...expectation.columns, node.newname ?? ""]) });
  }

  /**
   * Updates what a subcommand of ALTER TABLE changes besides its own expectations:
   * whether columns are NOT NULL, and the parent of a partition.
   */
  #loosen(cmd: AlterTableCmd, relation: RangeVar): void {
    const { expected } = this.#state;
    const table = relationName(relation, this.schema);
    // Since Postgres 18, the dropped constraint may be the one that makes a column NOT NULL.
    if (cmd.subtype === "AT_DropConstraint")
      for (const [key, { definition, ...rest }] of expected)
        if (key.startsWith(`column ${table}.`) && definition?.text === "NOT NULL") expected.set(key, rest);
    const child = partitionOf(cmd)?.name;
    if (!child) return;
    for (const kind of ["table", "index"]) {
      const key = `${kind} ${relationName(child, this.schema)}`;
      const known = expected.get(key);
      if (!known) continue;
      const { partOf: _, ...expectation } = known;
      const attached = cmd.subtype === "AT_AttachPartition" && { partOf: `${kind} ${table}` };
      expected.set(key, { ...expectation, ...attached });
    }
  }
}

/** Whether a statement changes `search_path`. Afterwards a name without a schema may be in any schema. */
function setsPath(node: Node): boolean {
  if ("VariableSetStmt" in node) return node.VariableSetStmt.name === "search_path";
  return (
    "SelectStmt" in node &&
    some(node.SelectStmt.targetList, (each) => "A_Const" in each && each.A_Const.sval?.sval === "search_path")
  );
}

/**
 * Removes IF NOT EXISTS from CREATE TABLE if the table was dropped before, because the statement then surely makes it.
 */
function asMade(node: Node, expected: ReadonlyMap<string, Expectation>, schema: string): Node {
  const { relation, if_not_exists } = "CreateStmt" in node ? node.CreateStmt : {};
  if (!("CreateStmt" in node) || !relation || !if_not_exists) return node;
  if (expected.get(`table ${relationName(relation, schema)}`)?.present !== false) return node;
  return { CreateStmt: { ...node.CreateStmt, if_not_exists: false } };
}
