import type { ColumnType } from "../sql/column-type";
import { keyOf, type Name } from "../sql/identifier";
import type { Definitions } from "./definitions";
import type { Column, Dependent, Index, Routine, Table, Trigger } from "./objects";

/**
 * The schema that the migrations so far have made, as far as their text shows it. The review looks up
 * here which table an index is on, what type a column has, and whether a table is new. What the text
 * doesn't show is marked as unknown and never guessed.
 */
export class Schema {
  readonly tables = new Map<string, Table>();
  readonly indexes = new Map<string, Index>();
  /** The values of each enum, in their order. */
  readonly enums = new Map<string, string[]>();
  /**
   * The migration that made an object. Functions, procedures, sequences and types are found by
   * their name; schemas and roles, by {@link madeKey}.
   */
  readonly made = new Map<string, string>();
  readonly triggerFunctions = new Set<string>();
  readonly routines = new Map<string, Routine>();
  /** Views, triggers, policies, defaults and other dependents, with what they depend on. */
  readonly dependents = new Map<string, Dependent>();
  /** The key is made of the table and the trigger's name. */
  readonly triggers = new Map<string, Trigger>();
  /** The type on which each domain is based. */
  readonly domainBases = new Map<string, ColumnType | undefined>();
  /** The domains that were made with a constraint. */
  readonly domains = new Set<string>();
  /** The domains that forbid NULL. */
  readonly requiredDomains = new Set<string>();
  /** Whether the current migration has set TimeZone to UTC. */
  utc = false;

  /** @param definitions receives how each object is defined. Default: that isn't kept. */
  constructor(readonly definitions?: Definitions) {}

  table(name: Name): Table | undefined {
    return this.tables.get(keyOf(name));
  }

  /** The table with this name. If the history doesn't make it, it is added as a table that existed before. */
  require(name: Name): Table {
    const key = keyOf(name);
    const found = this.tables.get(key);
    if (found) return found;
    const table = emptyTable(name, undefined);
    this.tables.set(key, table);
    return table;
  }

  /** The name that belongs to a key. */
  named(key: string): Name {
    return this.tables.get(key)?.name ?? { name: key };
  }

  /** The tables with a foreign key to this one, without duplicates. */
  referencing(key: string): Table[] {
    return [...this.tables.values()].filter(
      (table) => keyOf(table.name) !== key && table.constraints.some(({ references }) => references === key),
    );
  }

  /** The views that prevent dropping a table, or one column of it. */
  viewsOf(key: string, column?: string): Table[] {
    return [...this.tables.values()].filter(
      ({ reads }) =>
        reads?.tables.has(key) && (column === undefined || reads.columns.has(column) || reads.columns.has("*")),
    );
  }

  /** The tables with a foreign key to this column of a table. */
  pointingTo(key: string, column: string): Table[] {
    const primary = this.tables.get(key)?.constraints.find(({ kind }) => kind === "primary")?.columns ?? [];
    return this.referencing(key).filter(({ constraints }) =>
      constraints.some(
        ({ references, referenced = [] }) =>
          references === key && (referenced.length > 0 ? referenced : primary).includes(column),
      ),
    );
  }

  children(key: string): Table[] {
    return [...this.tables.values()].filter(({ parent }) => parent === key);
  }

  /**
   * The serial or identity column to which a sequence belongs. It is recognised by
   * the name that Postgres gives such a sequence.
   */
  sequenceOwner(sequence: Name): { table: Name; column: string } | undefined {
    for (const { name, columns } of this.tables.values()) {
      if (
        !sequence.name.startsWith(`${name.name}_`) ||
        keyOf({ ...sequence, name: "" }) !== keyOf({ ...name, name: "" })
      )
        continue;
      for (const column of columns.keys())
        if (sequence.name === `${name.name}_${column}_seq`) return { table: name, column };
    }
    return undefined;
  }

  indexesOf(key: string): Index[] {
    return [...this.indexes.values()].filter(({ table }) => table === key);
  }

  triggersOf(table: string, event?: Trigger["events"][number]): Trigger[] {
    return [...this.triggers.values()].filter(
      (trigger) => trigger.table === table && (event === undefined || trigger.events.includes(event)),
    );
  }

  /** The partitions and children of a table, including theirs. */
  descendants(key: string): Table[] {
    return this.children(key).flatMap((child) => [child, ...this.descendants(keyOf(child.name))]);
  }

  /** The tables and columns of this type, or of a domain over it. */
  using(type: string): { table: Table; column: Column }[] {
    const found: { table: Table; column: Column }[] = [];
    for (const table of this.tables.values())
      for (const column of table.columns.values()) {
        let name = column.type?.name;
        for (let depth = 0; name !== undefined && name !== type && depth < 10; depth++)
          name = this.domainBases.get(name)?.name;
        if (name === type) found.push({ table, column });
      }
    return found;
  }

  /**
   * The base type of a domain, or the type itself if it is no domain.
   * @param constrained whether domains with constraints are resolved too; otherwise they are returned unchanged
   */
  baseOf(type: ColumnType | undefined, constrained = false): ColumnType | undefined {
    if (!type || !this.domainBases.has(type.name) || (!constrained && this.domains.has(type.name))) return type;
    return type.array > 0 ? type : this.baseOf(this.domainBases.get(type.name), constrained);
  }

  drop(key: string): void {
    // The partitions of a table are dropped with it.
    const partitions = this.tables.get(key)?.partitioned ? this.children(key) : [];
    for (const { name } of partitions) this.drop(keyOf(name));
    this.tables.delete(key);
    for (const kind of ["table", "view"] as const) this.definitions?.delete({ kind, key });
    for (const [index, { table }] of this.indexes) if (table === key) this.indexes.delete(index);
    for (const [trigger, { table }] of this.triggers) if (table === key) this.triggers.delete(trigger);
    for (const table of this.tables.values())
      table.constraints = table.constraints.filter(({ references }) => references !== key);
  }

  rename(from: Name, to: Name): void {
    const old = keyOf(from);
    const key = keyOf(to);
    const table = this.tables.get(old);
    if (!table) return;
    this.tables.delete(old);
    this.tables.set(key, table);
    this.definitions?.renameRelation(from, to);
    table.name = to;
    for (const index of this.indexes.values()) if (index.table === old) index.table = key;
    for (const trigger of this.triggers.values()) if (trigger.table === old) trigger.table = key;
    for (const other of this.tables.values()) {
      if (other.parent === old) other.parent = key;
      for (const constraint of other.constraints) if (constraint.references === old) constraint.references = key;
    }
  }
}

/** The key in {@link Schema.made} for kinds of objects that have a namespace of their own. */
export function madeKey(kind: string, name: string): string {
  return `${kind}:${name}`;
}

/**
 * A table without columns.
 * @param madeIn the migration that makes it; undefined for a table that the history doesn't make
 */
export function emptyTable(name: Name, madeIn: string | undefined): Table {
  return {
    name,
    kind: "table",
    columns: new Map(),
    constraints: [],
    known: madeIn !== undefined,
    madeIn,
    partitioned: false,
    rowSecurity: false,
    policies: new Set(),
  };
}
