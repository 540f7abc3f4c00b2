import type { RangeVar } from "libpg-query";
import { isOnTemporary, TemporaryNames } from "../schema/temporary";
import { partsOf } from "../sql/identifier";
import { walk } from "../sql/references";
import { type Expectation, expectationsOf } from "./expectations";

// biome-ignore lint/suspicious/noExplicitAny: the grammar's nodes, of which only a few fields are looked at
type Nodes = any;

/** What stands for the schema of a name that was written without one after a change of `search_path`. */
const ANYWHERE = "?";

interface State {
  readonly promises: Map<string, Expectation>;
  readonly temporary: TemporaryNames;
}

/**
 * What holds after a series of statements. What a later one takes back, changes or rolls back is no longer promised. What one may have
 * taken back, as far as its text tells, stays in the list as uncertain, with the statement that makes it so.
 */
export class Promises {
  #state: State = { promises: new Map(), temporary: new TemporaryNames() };
  /** The states at BEGIN (without a name) and at each SAVEPOINT. */
  #saved: { name?: string; state: State }[] = [];
  /** After a change of `search_path` a name without a schema may be anywhere. */
  #astray = false;

  constructor(readonly schema: string) {}

  /** @param where for people, of the migration that the statement stands in */
  see(node: Nodes, where: string): void {
    if (node.TransactionStmt) this.#control(node.TransactionStmt);
    else this.#see(node, where);
  }

  #see(written: Nodes, where: string): void {
    const { promises, temporary } = this.#state;
    const node: Nodes = temporary.qualify(written);
    this.#astray ||= node.VariableSetStmt?.name === "search_path" || /"sval":"search_path"/.test(selected(node));
    // What is temporary is gone with the session, so that nothing of it is found in the catalog later.
    if (isOnTemporary(node)) return;
    const taker = mayTakeBack(node);
    if (taker !== undefined)
      for (const [key, promise] of promises)
        if (promise.uncertain === undefined && mayConcern(taker, key))
          promises.set(key, { ...promise, uncertain: `${taker.by} in ${where}` });
    if (node.AlterObjectSchemaStmt) this.#moved(node.AlterObjectSchemaStmt);
    if (node.AlterSeqStmt) this.#owned(node.AlterSeqStmt);
    if (node.RenameStmt?.renameType === "OBJECT_SCHEMA") forget(promises, `schema ${node.RenameStmt.subname}`);
    const expected = expectationsOf(asMade(node, promises, this.schema), this.#astray ? ANYWHERE : this.schema);
    const lenient = node.AlterTableStmt?.missing_ok === true;
    if (node.RenameStmt && expected.length === 2) this.#rename(node.RenameStmt, expected[0]!.key, expected[1]!);
    else for (const expectation of expected) this.#enter(expectation, lenient);
    if (node.CreateSeqStmt) this.#owned(node.CreateSeqStmt);
    for (const { AlterTableCmd } of node.AlterTableStmt?.cmds ?? []) this.#loosen(AlterTableCmd, node.AlterTableStmt);
  }

  /** At the end of a migration: what was not committed there is no concern of the next. */
  end(): void {
    this.#saved = [];
    this.#state.temporary.commit();
  }

  list(): Expectation[] {
    return [...this.#state.promises.values()];
  }

  /** @param lenient the statement has IF EXISTS, so that it may have done nothing */
  #enter(expectation: Expectation, lenient: boolean): void {
    const { promises } = this.#state;
    const { key, present } = expectation;
    if (isOurs(key)) return;
    if (key.includes(` ${ANYWHERE}.`)) {
      forgetAnywhere(promises, key);
      return;
    }
    if (!present) forget(promises, key);
    else if (expectation.anyKind && promises.get(key)?.present) return;
    // A column's first promise is its existence, its second, say, NOT NULL: the later one includes the earlier.
    if (!lenient) promises.set(key, expectation);
    else if (expectation.definition) promises.delete(key);
  }

  #control({ kind, savepoint_name: name, chain }: Nodes): void {
    const copy = () => ({ promises: new Map(this.#state.promises), temporary: this.#state.temporary.copy() });
    const begun = this.#saved.findIndex((each) => each.name === undefined);
    const at = this.#saved.map((each) => each.name).lastIndexOf(name);
    if (kind === "TRANS_STMT_SAVEPOINT") this.#saved.push({ name, state: copy() });
    else if (kind === "TRANS_STMT_RELEASE" && at >= 0) this.#saved = this.#saved.slice(0, at);
    else if (kind === "TRANS_STMT_ROLLBACK_TO" && at >= 0) {
      this.#saved = this.#saved.slice(0, at + 1);
      this.#state = this.#saved[at]!.state;
      this.#saved[at] = { name, state: copy() };
    } else if (/BEGIN|START/.test(kind)) {
      if (begun < 0) this.#saved.push({ state: copy() });
    } else if (/COMMIT$|ROLLBACK$|PREPARE$/.test(kind)) {
      if (kind === "TRANS_STMT_COMMIT") this.#state.temporary.commit();
      else if (begun >= 0) this.#state = this.#saved[begun]!.state;
      this.#saved = chain ? [{ state: copy() }] : [];
    }
  }

  /** ALTER … SET SCHEMA: it is somewhere else, with all its parts. */
  #moved({ relation, object }: Nodes): void {
    const parts = relation ? [relation.schemaname, relation.relname].filter(Boolean) : partsOf(object).slice(-2);
    const name = parts.length > 1 ? parts.join(".") : `${this.schema}.${parts[0]}`;
    const { promises } = this.#state;
    for (const kind of ["table", "view", "materialized view", "sequence", "type"]) forget(promises, `${kind} ${name}`);
  }

  /** CREATE or ALTER SEQUENCE … OWNED BY: it goes with its table or column. */
  #owned({ sequence, options }: { sequence: RangeVar; options?: Nodes[] }): void {
    const key = `sequence ${sequence.schemaname ?? this.schema}.${sequence.relname}`;
    const promise = this.#state.promises.get(key);
    const owner = options?.find(({ DefElem }) => DefElem.defname === "owned_by");
    if (!promise || !owner) return;
    const names = partsOf(owner.DefElem.arg);
    const table = names.slice(0, -1);
    const partOf = `table ${table.length > 1 ? table.join(".") : `${this.schema}.${table[0]}`}`;
    this.#state.promises.set(key, { ...promise, partOf, columns: new Set(names.slice(-1)) });
  }

  /** What is promised of the thing and of its parts is promised of them under the new name. */
  #rename(node: Nodes, old: string, renamed: Expectation): void {
    const { promises } = this.#state;
    const before = [...promises].filter(([key]) => key !== renamed.key);
    const known = promises.get(old);
    if (node.missing_ok && !known) {
      forget(promises, old);
      forget(promises, renamed.key);
      return;
    }
    if (old.includes(` ${ANYWHERE}.`)) {
      forgetAnywhere(promises, old);
      return;
    }
    const prefix = nameOf(old);
    const table = node.relation && node.subname === undefined && node.renameType !== "OBJECT_INDEX";
    promises.clear();
    for (const [key, promise] of before) {
      const inside = key === old || (table && nameOf(key).startsWith(`${prefix}.`));
      const moved = inside ? key.replace(prefix, nameOf(renamed.key)) : key;
      // What is a part says "table" of a materialized view too.
      const part = promise.partOf === old || (table && promise.partOf === `table ${prefix}`);
      const partOf = part ? promise.partOf?.replace(prefix, nameOf(renamed.key)) : promise.partOf;
      promises.set(moved, { ...promise, key: moved, ...(partOf === undefined ? {} : { partOf }) });
    }
    // ALTER TABLE also renames views, indexes and sequences: of what kind it is may be known.
    const kinds = ["table", "view", "materialized view", "index", "sequence"];
    const other = renamed.anyKind && kinds.map((kind) => `${kind} ${prefix}`).find((key) => promises.get(key)?.present);
    if (other && other !== old) {
      this.#rename(node, other, { ...renamed, key: other.replace(prefix, nameOf(renamed.key)) });
      return;
    }
    if (!promises.has(renamed.key)) promises.set(renamed.key, renamed);
    promises.set(old, { key: old, present: false });
    if (node.renameType === "OBJECT_COLUMN")
      for (const [key, promise] of promises)
        if (promise.columns?.has(node.subname))
          promises.set(key, { ...promise, columns: new Set([...promise.columns, node.newname]) });
  }

  /** What a subcommand of ALTER TABLE changes besides what it promises. */
  #loosen({ subtype, def }: Nodes, { relation }: { relation: RangeVar }): void {
    const { promises } = this.#state;
    const table = `${relation.schemaname ?? this.schema}.${relation.relname}`;
    // Since Postgres 18 this may be the constraint that makes a column NOT NULL.
    if (subtype === "AT_DropConstraint")
      for (const [key, { definition, ...rest }] of promises)
        if (key.startsWith(`column ${table}.`) && definition?.text === "NOT NULL") promises.set(key, rest);
    const child: RangeVar | undefined = def?.PartitionCmd?.name;
    if (!child) return;
    for (const kind of ["table", "index"]) {
      const key = `${kind} ${child.schemaname ?? this.schema}.${child.relname}`;
      const { partOf, ...promise } = promises.get(key) ?? { key: "" };
      if (promise.key === "") continue;
      const attached = subtype === "AT_AttachPartition" ? { partOf: `${kind} ${table}` } : {};
      promises.set(key, { ...(promise as Expectation), ...attached });
    }
  }
}

/** IF NOT EXISTS of what was dropped just before makes it. */
function asMade(node: Nodes, promises: ReadonlyMap<string, Expectation>, schema: string): Nodes {
  const { relation, if_not_exists } = node.CreateStmt ?? {};
  if (!if_not_exists || promises.get(`table ${relation.schemaname ?? schema}.${relation.relname}`)?.present !== false)
    return node;
  return { CreateStmt: { ...node.CreateStmt, if_not_exists: false } };
}

/** What is not in the catalog that is compared: book-keeping, and the server's own schemas. */
function isOurs(key: string): boolean {
  return / (_release|pg_[^.]*|information_schema)(\.|$)/.test(key) || /\._prisma_migrations(\.|$)/.test(key);
}

/** Who may have taken back what was made before. */
interface Taker {
  readonly by: string;
  /** Only what this text names; everything where it is undefined. */
  readonly named?: string;
}

/** A statement after which it isn't known whether what was made before is still there; undefined for others. */
function mayTakeBack(node: Nodes): Taker | undefined {
  const commands: Nodes[] = node.AlterTableStmt?.cmds ?? [];
  if (node.DoStmt) return takenByDo(codeOf(node.DoStmt).toLowerCase());
  if (node.CallStmt) return { by: "CALL" };
  if (node.DropOwnedStmt) return { by: "DROP OWNED" };
  if (node.AlterExtensionContentsStmt) return { by: "ALTER EXTENSION" };
  if (node.DropStmt?.behavior === "DROP_CASCADE") return { by: "DROP … CASCADE" };
  if (commands.some(({ AlterTableCmd }) => AlterTableCmd?.behavior === "DROP_CASCADE")) return { by: "DROP … CASCADE" };
  const called = node.SelectStmt ? functionsCalled(node).find((name) => !HARMLESS.has(name)) : undefined;
  return called === undefined ? undefined : { by: `SELECT ${called}()` };
}

function codeOf({ args }: Nodes): string {
  const code = args?.find(({ DefElem }: Nodes) => DefElem?.defname === "as");
  return partsOf(code?.DefElem.arg)[0] ?? "";
}

/** Most DO blocks only make something unless it is there. */
function takenByDo(code: string): Taker | undefined {
  const queries = [...code.matchAll(/\bselect\b([^;]*?)(;|\bthen\b|\bloop\b)/g)].map(([, query]) => query ?? "");
  const called = queries.flatMap((query) => [...query.matchAll(/(\w+)\s*\(/g)].map(([, name]) => name ?? ""));
  const may = called.some(
    (name) => !HARMLESS.has(name) && !/^(exists|select|in|any|and|or|not|where|on|as)$/.test(name),
  );
  if (may || /\b(execute|perform|call|cascade)\b/.test(code)) return { by: "DO" };
  return /\b(drop|rename|schema|alter)\b/.test(code) ? { by: "DO", named: code } : undefined;
}

/** A thing of which the text names neither itself nor its table is none of its concern. */
function mayConcern({ named }: Taker, key: string): boolean {
  if (named === undefined) return true;
  const words = new Set(named.split(/[^\p{L}\p{N}_$]+/u));
  const names = nameOf(key).toLowerCase().split(".").slice(1);
  return names.some((name) => words.has(name) || (/\W/.test(name) && named.includes(name)));
}

/** Functions of Postgres that migrations call and that drop nothing. */
const HARMLESS = new Set(
  (
    "setval nextval currval set_config pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_notify pg_sleep version current_setting " +
    "count max min sum avg coalesce now exists greatest least lower upper length concat format quote_ident quote_literal to_regclass generate_series " +
    "pg_get_serial_sequence"
  ).split(" "),
);

function functionsCalled(node: Nodes): string[] {
  const found: string[] = [];
  walk(node, (key, child) => {
    if (key === "FuncCall") found.push(partsOf((child as Nodes).funcname).at(-1) ?? "");
  });
  return found;
}

function selected(node: Nodes): string {
  return node.SelectStmt ? JSON.stringify(node.SelectStmt.targetList ?? []) : "";
}

/** `public.t.a` of `column public.t.a`. */
function nameOf(key: string): string {
  return key.slice(/^(materialized view|[a-z]+) /.exec(key)?.[0].length ?? 0);
}

/** With a thing go its parts: columns, constraints, indexes, triggers, partitions, sequences that it owns. */
function forget(promises: Map<string, Expectation>, key: string): void {
  promises.delete(key);
  const [, kind, name = ""] = /^(materialized view|[a-z]+) (.+)$/.exec(key) ?? [];
  // The index of a unique constraint goes with it, and has its name.
  if (kind === "constraint") promises.delete(`index ${name.replace(/[^.]+\.([^.]+)$/, "$1")}`);
  const table = kind === "column" ? name.replace(/\.[^.]*$/, "") : undefined;
  const column = name.slice((table?.length ?? -1) + 1);
  for (const [each, { partOf, columns }] of [...promises]) {
    const of = nameOf(each);
    const ofTable = partOf === `table ${table}` || of.startsWith(`${table}.`);
    const inside = kind !== "column" && kind !== "constraint" && of.startsWith(`${name}.`);
    const about = table !== undefined && ofTable && (columns?.has(column) || columns?.has("*"));
    // An index says "table" of a materialized view too.
    const part = partOf === key || (kind === "materialized view" && partOf === `table ${name}`);
    if (promises.has(each) && (inside || about || part)) forget(promises, each);
  }
}

/** A name without a schema that may be in any: whatever has it. */
function forgetAnywhere(promises: Map<string, Expectation>, key: string): void {
  const [kind, name = ""] = key.split(` ${ANYWHERE}.`);
  for (const each of [...promises.keys()])
    if (each.startsWith(`${kind} `) && each.endsWith(`.${name}`)) forget(promises, each);
}
