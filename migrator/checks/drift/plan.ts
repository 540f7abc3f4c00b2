import { type DriftObject, factText, objectKey, type Snapshot } from "./object";
import { renamedColumns } from "./renames";
import { changedFacts, type Goal, isNever, type Never } from "./rule";
import { RULES } from "./rules";

/** A statement of the SQL that makes one database like another. */
export interface DriftStatement {
  /** The key of the object that it makes, changes or drops. */
  readonly key: string;
  /** The statement, without a semicolon at its end. */
  readonly sql: string;
  /** What is lost for good by it; undefined: nothing. */
  readonly loses?: string;
}

/** The statements that make one database like another, in their order, and what they leave as it is. */
export interface DriftPlan {
  readonly statements: readonly DriftStatement[];
  readonly notGenerated: readonly { readonly key: string; readonly why: string }[];
}

const ORDER = Object.keys(RULES);
/** What a partition has from its parent, and what is its own again once it is detached. */
const PARTS = new Set(["column", "constraint", "foreign key", "index", "trigger"]);

/**
 * Plans the statements that make a database with the objects of `from` like one with those of `to`. Views that stand in
 * the way of a change, and keys that point to a changed one, are dropped and made again. A column that was renamed is
 * renamed, and keeps its values.
 */
export function planChange(from: Snapshot, goal: Goal): DriftPlan {
  const { to } = goal;
  const notGenerated: { key: string; why: string }[] = [];
  const altered = new Map<string, readonly string[]>();
  const remade = new Set<string>();
  const [movedFrom, movedTo] = [movedTables(from, to), movedTables(to, from)];
  for (const [key, after] of to) {
    const before = from.get(key);
    if (before === undefined || changedFacts(before, after).length === 0 || isPartOf(movedTo, after)) continue;
    const answer = RULES[after.kind]!.alter?.(before, after, goal);
    if (isNever(answer)) notGenerated.push({ key, why: answer.never });
    else if (answer) altered.set(key, answer);
    else remade.add(key);
  }
  addDependents(from, to, altered, remade);
  const onlyIn = (here: Snapshot, there: Snapshot, moved: ReadonlySet<string>) =>
    new Map([...here].filter(([key, each]) => remade.has(key) || (!there.has(key) && !isPartOf(moved, each))));
  const [gone, made] = [onlyIn(from, to, movedFrom), onlyIn(to, from, movedTo)];
  const renamed = renamedColumns(from, to);
  for (const { before } of renamed) gone.delete(objectKey(before));
  for (const { after } of renamed) made.delete(objectKey(after));
  withParts(to, made);
  for (const key of gone.keys()) altered.delete(key);
  for (const key of made.keys()) altered.delete(key);
  const statements: DriftStatement[] = [];
  const removed = sorted(withoutParts(gone), from).reverse();
  const drop = (last: boolean) => {
    for (const [key, object] of removed) {
      const { droppedLast = false, loses, remove } = RULES[object.kind]!;
      // A function that needs a table or view is dropped before it.
      if ((droppedLast && object.uses.length === 0 && !remade.has(key)) !== last) continue;
      statements.push(...remove(object).map((sql) => ({ key, sql, ...(loses !== undefined && { loses }) })));
    }
  };
  drop(false);
  for (const { before, after } of renamed)
    statements.push({
      key: objectKey(after),
      sql: `ALTER TABLE ${before.on} RENAME COLUMN ${before.name} TO ${after.name}`,
    });
  for (const [key, object] of sorted(new Map([...to].filter(([each]) => made.has(each) || altered.has(each))), to)) {
    const changes = altered.get(key);
    const loses = changes && RULES[object.kind]!.changeLoses?.(from.get(key)!, object);
    const sql: readonly string[] | Never = changes ?? create(object, made, goal);
    if (isNever(sql)) notGenerated.push({ key, why: sql.never });
    else statements.push(...sql.map((each) => ({ key, sql: each, ...(loses !== undefined && { loses }) })));
  }
  drop(true);
  return { statements, notGenerated };
}

function create(object: DriftObject, made: Snapshot, goal: Goal): readonly string[] | Never {
  // A table that is made has its columns in the same statement.
  if (object.kind === "column" && (made.has(`table ${object.on}`) || made.has(`foreign table ${object.on}`))) return [];
  return RULES[object.kind]!.create(object, goal);
}

/** Returns the addresses in `here` of the tables that are a partition in only one of the databases, or of another table. */
function movedTables(here: Snapshot, there: Snapshot): ReadonlySet<string> {
  const isMoved = (key: string, { kind, facts }: DriftObject) =>
    kind === "table" &&
    there.has(key) &&
    factText(facts["partition of"]) !== factText(there.get(key)!.facts["partition of"]);
  return new Set([...here].flatMap(([key, object]) => (isMoved(key, object) ? [object.address] : [])));
}

/** Returns true for a part of one of these tables that it has from its parent, and its own again once it is detached. */
function isPartOf(moved: ReadonlySet<string>, { kind, parent }: DriftObject): boolean {
  return PARTS.has(kind) && parent !== null && moved.has(parent);
}

/** Adds to `remade` the views that read what is dropped or changed, and the foreign keys to a key that is dropped. */
function addDependents(from: Snapshot, to: Snapshot, altered: ReadonlyMap<string, unknown>, remade: Set<string>): void {
  const touched = new Set<string>();
  const keys = new Set<string>();
  const goes = (key: string, object: DriftObject) => {
    const away = remade.has(key) || !to.has(key);
    if (object.kind === "constraint" && away) keys.add(` REFERENCES ${object.on}(`);
    if (object.kind === "column" && (away || (altered.has(key) && isRetyped(object, to.get(key)!))))
      touched.add(object.on!);
    if (/^(table|view|materialized view)$/.test(object.kind) && away) touched.add(object.name);
  };
  for (let before = -1; before !== remade.size; ) {
    before = remade.size;
    for (const [key, object] of from) goes(key, object);
    for (const [key, object] of from) {
      if (!to.has(key)) continue;
      const isView = object.kind === "view" || object.kind === "materialized view";
      if (isView && object.uses.some((each) => touched.has(each))) remade.add(key);
      if (
        object.kind === "foreign key" &&
        [...keys].some((each) => factText(object.facts["definition"]).includes(each))
      )
        remade.add(key);
    }
  }
}

function isRetyped(from: DriftObject, to: DriftObject): boolean {
  return changedFacts(from, to).some((fact) => fact === "type" || fact === "collation");
}

/** Adds the parts of what is made, such as the grants on a view that is made again. */
function withParts(all: Snapshot, made: Map<string, DriftObject>): void {
  const addresses = new Set([...made.values()].map(({ address }) => address));
  for (let before = -1; before !== made.size; ) {
    before = made.size;
    for (const [key, object] of all) {
      if (object.parent === null || !addresses.has(object.parent) || made.has(key)) continue;
      made.set(key, object);
      addresses.add(object.address);
    }
  }
}

/** Leaves out what is dropped with the object that it is a part of. Foreign keys are dropped first, as they may be mutual. */
function withoutParts(gone: ReadonlyMap<string, DriftObject>): Map<string, DriftObject> {
  const addresses = new Set([...gone.values()].map(({ address }) => address));
  return new Map(
    [...gone].filter(
      ([, { kind, parent }]) =>
        kind === "foreign key" || kind === "owner of sequence" || parent === null || !addresses.has(parent),
    ),
  );
}

/** Sorts objects as they can be made: by their kind, and those that read others after these. */
function sorted(objects: ReadonlyMap<string, DriftObject>, all: Snapshot): [string, DriftObject][] {
  const depths = new Map<string, number>();
  const depth = (object: DriftObject): number => {
    const key = objectKey(object);
    const known = depths.get(key);
    if (known !== undefined) return known;
    depths.set(key, 0);
    const parents = [...object.uses, factText(object.facts["partition of"])].flatMap((name) =>
      ["table", "view", "materialized view"].flatMap((kind) => all.get(`${kind} ${name}`) ?? []),
    );
    const found = parents.length === 0 ? 0 : 1 + Math.max(...parents.map(depth));
    depths.set(key, found);
    return found;
  };
  const rank = (object: DriftObject): number => {
    const reads = object.uses.some((name) => all.has(`view ${name}`) || all.has(`materialized view ${name}`));
    // A function whose arguments or body need a table or view is made after it.
    const after =
      object.kind !== "function" || object.uses.length === 0 ? object.kind : reads ? "materialized view" : "column";
    return ORDER.indexOf(after);
  };
  return [...objects].sort(([, a], [, b]) => rank(a) - rank(b) || depth(a) - depth(b));
}
