import type { Node } from "libpg-query";
import type { MigrationPlan, PlannedStatement } from "../migrations/history/plan";
import type { Effect, TableEffect } from "../migrations/schema/effect";
import type { Table } from "../migrations/schema/objects";
import { madeKey, type Schema } from "../migrations/schema/schema";
import { temporarySchema } from "../migrations/schema/temporary";
import { keyOf, type Name } from "../migrations/sql/identifier";
import type { AddedValue } from "../migrations/statements/enum-use";
import { type Sizes, sizeText, type TableSize } from "../text/table-size";
import { target } from "./names";
import { type Band, sizeOf } from "./size";

/** A statement of the migration under review, with what the review knows of it. */
export interface JudgedStatement extends PlannedStatement {
  readonly node: Node;
  readonly effect: Effect;
  /** The tables of its effect that were there before this release. */
  readonly existing: readonly TableEffect[];
  /** It changes the rows of a few keys that it names, or a range of keys at a time. */
  readonly fewRows: boolean;
  /** The statement is a part of the one at its place, in a DO block or a WITH, and can't be run by itself. */
  readonly inside?: boolean;
}

/** Who runs the migrations: this project's migrator, or the user's own command (the Prisma CLI). */
export type Runner = "migrator" | "command";

/** An enum that is made under another name and put into the place of the old one, as Prisma does when a value goes. */
export interface EnumExchange {
  /** Key of the enum, which is the same before and after. */
  readonly type: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What a migration as a whole does: read from all its statements before the first of them is judged. */
export interface Prepared {
  /** Enums that the migration exchanges, by the key of the one that takes the place. */
  readonly exchanges: ReadonlyMap<string, EnumExchange>;
  /** Views and functions that it makes in one transaction: dropped before, they are only replaced. */
  readonly remade: ReadonlySet<string>;
  /** Views that it makes of one whole table, under which pods of the old version find the table. */
  readonly standIns: readonly { readonly view: string; readonly table: string }[];
  /** Columns that it drops: `User.email`. */
  readonly droppedColumns: ReadonlySet<string>;
  /** Foreign keys that it drops, by `foreignKeyText`: added again, they are not new. */
  readonly droppedKeys: ReadonlySet<string>;
  /** Unique indexes that it makes, by `uniqueKey`: dropped under another name, they are only replaced. */
  readonly uniques: ReadonlySet<string>;
  /** Unique indexes that it drops, by `uniqueKey`: made again, they find no duplicates. */
  readonly droppedUniques: ReadonlySet<string>;
  /** Policies, triggers and rules that it makes or turns on, by `guardKey`. */
  readonly guardsMade: ReadonlySet<string>;
  /** Keys of the sequences that it sets to follow the rows. */
  readonly sequencesFollowing: ReadonlySet<string>;
  /** Keys of the tables that it empties. */
  readonly emptied: ReadonlySet<string>;
  /** Values that it adds to enums which were committed before, and the statements that do. */
  readonly addedValues: readonly { readonly value: AddedValue; readonly by: PlannedStatement }[];
}

/** Where a migration stands: the release that it belongs to, and what is there before the statement under review. */
export interface Situation {
  readonly plan: MigrationPlan;
  /** The schema before the statement under review. The review carries it on after each statement; rules only read it. */
  readonly schema: Schema;
  /** Columns that this release has added so far to tables that were there: `User.email`. */
  readonly newColumns: ReadonlySet<string>;
  readonly sizes: Sizes | undefined;
  readonly runner: Runner;
  /** Names of the migrations of this release. */
  readonly release: ReadonlySet<string>;
}

/** Answers what rules ask about the migration under review. Rules change nothing in it. */
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

  /** Tells whether this release makes the table, or it is temporary: then it has no rows, and no old pod knows it. */
  isNew(name: Name): boolean {
    if (name.schema?.startsWith(temporarySchema)) return true;
    return this.isOfRelease(this.schema.table(name)?.madeIn);
  }

  /** Tells whether this release makes the function, procedure, sequence or type. */
  isNewObject(name: Name): boolean {
    return this.isOfRelease(this.schema.made.get(keyOf(name)));
  }

  /** Tells whether this release makes the schema or role. */
  isMade(kind: string, name: string): boolean {
    return this.isOfRelease(this.schema.made.get(madeKey(kind, name)));
  }

  /** Tells whether this release adds the column to a table that was there. */
  isNewColumn(name: Name, column: string): boolean {
    return this.situation.newColumns.has(target(name, column));
  }

  /** Tells whether the sequence belongs to a serial or identity column that is as new as the release. */
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

  /** Writes how long work on a table takes: `Minutes (12 GB, 40 million rows)`. */
  duration(band: Band, name: Name): string {
    if (band === "unknown") return "Grows with the table, whose size is unknown";
    return `${band.charAt(0).toUpperCase()}${band.slice(1)} (${sizeText(this.size(name))})`;
  }

  private isOfRelease(migration: string | undefined): boolean {
    return migration !== undefined && this.situation.release.has(migration);
  }
}
