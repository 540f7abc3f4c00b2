import type { Node } from "libpg-query";
import type { MigrationPlan, PlannedStatement } from "../migrations/history/plan";
import type { Effect, TableEffect } from "../migrations/schema/effect";
import type { Table } from "../migrations/schema/objects";
import { madeKey, type Schema } from "../migrations/schema/schema";
import { temporarySchema } from "../migrations/schema/temporary";
import { keyOf, type Name } from "../migrations/sql/identifier";
import type { AddedValue } from "../migrations/statements/enum-use";
import { type Sizes, sizeText, type TableSize } from "../text/table-size";
import { type MeasuredOnCopy, measuredDuration } from "./measured-durations";
import { target } from "./names";
import { type Band, sizeOf } from "./size";

/** A statement of the migration under review, with the facts that the rules need. */
export interface JudgedStatement extends PlannedStatement {
  readonly node: Node;
  readonly effect: Effect;
  /** The tables of its effect that were there before this release. */
  readonly existing: readonly TableEffect[];
  /** Whether it changes only rows with a few keys that it names, or one range of keys at a time. */
  readonly fewRows: boolean;
  /** Whether this is a part of a statement, in a DO block or a WITH, that can't be run by itself. Default: false. */
  readonly inside?: boolean;
}

/** The program that runs the migrations: this project's migrator, or the user's own command (the Prisma CLI). */
export type Runner = "migrator" | "command";

/** An enum that is made under another name and then replaces the old one. Prisma removes an enum's value this way. */
export interface EnumExchange {
  /** The key of the enum, which is the same before and after. */
  readonly type: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** The facts about a migration as a whole. They are read from all its statements before the first one is judged. */
export interface Prepared {
  /** The enums that the migration exchanges. The key of the map is the key of the new enum. */
  readonly exchanges: ReadonlyMap<string, EnumExchange>;
  /**
   * The views and functions that it makes in one transaction. If it drops one of them before, that only replaces it.
   */
  readonly remade: ReadonlySet<string>;
  /** The views that it makes of one whole table. Pods of the old version reach a renamed table by such a view. */
  readonly standIns: readonly { readonly view: string; readonly table: string }[];
  /** The columns that it drops, such as `User.email`. */
  readonly droppedColumns: ReadonlySet<string>;
  /** The foreign keys that it drops, as texts of `foreignKeyText`. One that is added again is not new. */
  readonly droppedKeys: ReadonlySet<string>;
  /**
   * The unique indexes that it makes, as texts of `uniqueKey`. Dropping an equal one under another name is a
   * replacement.
   */
  readonly uniques: ReadonlySet<string>;
  /** The unique indexes that it drops, as texts of `uniqueKey`. One that is made again can meet no duplicates. */
  readonly droppedUniques: ReadonlySet<string>;
  /** The policies, triggers and rules that it makes or turns on, as texts of `guardKey`. */
  readonly guardsMade: ReadonlySet<string>;
  /** The keys of the sequences that it sets to the largest value in the rows. */
  readonly sequencesFollowing: ReadonlySet<string>;
  /** The keys of the tables that it empties. */
  readonly emptied: ReadonlySet<string>;
  /** The values that it adds to enums of earlier transactions, each with the statement that adds it. */
  readonly addedValues: readonly { readonly value: AddedValue; readonly by: PlannedStatement }[];
}

/** The context of the statement under review: its migration, its release, and the schema before the statement. */
export interface Situation {
  readonly plan: MigrationPlan;
  /** The schema before the statement under review. The review updates it after each statement; rules only read it. */
  readonly schema: Schema;
  /** The columns that this release has added so far to existing tables, such as `User.email`. */
  readonly newColumns: ReadonlySet<string>;
  readonly sizes: Sizes | undefined;
  readonly measured?: MeasuredOnCopy | undefined;
  readonly runner: Runner;
  /** The names of the migrations of this release. */
  readonly release: ReadonlySet<string>;
}

/** Gives rules access to the facts about the migration under review. Rules change nothing in it. */
export class Facts {
  readonly plan: MigrationPlan;
  readonly schema: Schema;
  readonly runner: Runner;

  constructor(
    private readonly situation: Situation,
    readonly prepared: Prepared,
  ) {
    ({ plan: this.plan, schema: this.schema, runner: this.runner } = situation);
  }

  /** Returns whether the table is temporary or new in this release. It then has no rows, and no old pod uses it. */
  isNew(name: Name): boolean {
    if (name.schema?.startsWith(temporarySchema)) return true;
    return this.isOfRelease(this.schema.table(name)?.madeIn);
  }

  /** Returns whether this release makes the function, procedure, sequence or type. */
  isNewObject(name: Name): boolean {
    return this.isOfRelease(this.schema.made.get(keyOf(name)));
  }

  /** Returns whether this release makes the schema or role. */
  isMade(kind: string, name: string): boolean {
    return this.isOfRelease(this.schema.made.get(madeKey(kind, name)));
  }

  /** Returns whether this release adds the column to an existing table. */
  isNewColumn(name: Name, column: string): boolean {
    return this.situation.newColumns.has(target(name, column));
  }

  /** Returns whether the sequence belongs to a serial or identity column that this release adds. */
  isNewSequence(name: Name): boolean {
    const owner = this.schema.sequenceOwner(name);
    return owner !== undefined && (this.isNew(owner.table) || this.isNewColumn(owner.table, owner.column));
  }

  table(name: Name): Table | undefined {
    return this.schema.table(name);
  }

  size(name: Name): TableSize | undefined {
    return sizeOf(name, this.situation.sizes);
  }

  /**
   * Writes how long the work of a statement on a table takes: as it was measured on a copy, or else as it is estimated,
   * such as `Minutes (12 GB, 40 million rows)`.
   */
  duration(band: Band, name: Name, { index }: Pick<PlannedStatement, "index">): string {
    const measured = measuredDuration(this.situation.measured, this.plan.name, index);
    if (measured !== undefined) return measured;
    if (band === "unknown") return "Grows with the table, whose size is unknown";
    return `${band.charAt(0).toUpperCase()}${band.slice(1)} (${sizeText(this.size(name))})`;
  }

  private isOfRelease(migration: string | undefined): boolean {
    return migration !== undefined && this.situation.release.has(migration);
  }
}
